"""The note parser: what is written is read again, and nothing that is hostile breaks it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.errors import FormatError
from shipper.seal import note
from shipper.seal.note import MAX_NOTE_BYTES, MAX_SIGNATURES, MAX_TEXT_BYTES, Signature

# What C2SP signed-note allows: any UTF-8 without control characters below U+0020 but newline.
_lines = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]), max_size=40)
texts = st.lists(_lines, min_size=1, max_size=5).map(lambda ls: ("\n".join(ls) + "\n").encode())
names = st.text(
    st.characters(min_codepoint=0x21, exclude_categories=["Cs"], exclude_characters="+"),
    min_size=1,
    max_size=20,
).filter(lambda name: not any(c.isspace() or c.splitlines() != [c] for c in name))
signatures = st.builds(
    Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)
)


@given(texts, st.lists(signatures, min_size=1, max_size=MAX_SIGNATURES))
def test_what_is_written_is_read_again(text: bytes, lines: list[Signature]) -> None:
    """Encoding and parsing give the same text and signatures, and the same bytes."""
    body = note.encode(text, *lines)
    parsed = note.parse(body)
    assert parsed == (text, tuple(lines))
    assert note.encode(parsed.text, *parsed.signatures) == body


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_a_format_error(body: bytes) -> None:
    """Nothing but `FormatError` is ever raised, and what is accepted has one encoding."""
    _parse_or_refuse(body)


@given(
    texts,
    st.lists(signatures, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=3)), min_size=1, max_size=4),
)
def test_a_damaged_note_is_a_note_or_a_format_error(
    text: bytes, lines: list[Signature], edits: list[tuple[int, bytes]]
) -> None:
    """The same for notes with bytes replaced, where the parser gets further."""
    body = note.encode(text, *lines)
    for place, new in edits:
        at = place % len(body)
        body = body[:at] + new + body[at + 1 :] or b"\n"
    _parse_or_refuse(body)


def _parse_or_refuse(body: bytes) -> None:
    try:
        parsed = note.parse(body)
    except FormatError:
        return
    assert note.encode(parsed.text, *parsed.signatures) == body
    assert parsed.text.endswith(b"\n")


_LINE = "\u2014 name AQIDBAU=\n".encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"\n\n",
        b"text" + _LINE,
        b"text\n" + _LINE,
        b"text\n\n" + _LINE[:-1],
        b"text\n\n" + _LINE + b"\n",
        b"text\n\n" + _LINE + b"more\n",
        b"text\n\n- name AQIDBAU=\n",
        "text\n\n\u2014  AQIDBAU=\n".encode(),
        "text\n\n\u2014 na me AQIDBAU=\n".encode(),
        "text\n\n\u2014 na+me AQIDBAU=\n".encode(),
        "text\n\n\u2014 na\u00a0me AQIDBAU=\n".encode(),
        "text\n\n\u2014 name AQIDBA==\n".encode(),  # a key id and no signature
        "text\n\n\u2014 name AQIDBAU\n".encode(),  # no padding
        "text\n\n\u2014 name AQIDBAV=\n".encode(),  # bits that the padding ignores
        "text\n\n\u2014 name AQID_AU=\n".encode(),
        b"te\txt\n\n" + _LINE,
        b"te\rxt\n\n" + _LINE,
        b"te\x00xt\n\n" + _LINE,
        b"te\xffxt\n\n" + _LINE,
        b"text\n\n" + _LINE * (MAX_SIGNATURES + 1),
        b"x" * MAX_TEXT_BYTES + b"\n\n" + _LINE,
        b"x" * MAX_NOTE_BYTES + b"\n\n" + _LINE,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_no_note_is_refused(body: bytes) -> None:
    """Each rule of the form has a note that breaks it."""
    with pytest.raises(FormatError):
        note.parse(body)


def test_the_largest_note_is_accepted() -> None:
    """A text of 65,535 bytes with 16 signatures is within the limits."""
    text = b"x" * (MAX_TEXT_BYTES - 1) + b"\n"
    assert note.parse(text + b"\n" + _LINE * MAX_SIGNATURES).text == text


def test_a_blank_line_in_the_text_belongs_to_the_text() -> None:
    """The signatures begin behind the last blank line."""
    assert note.parse(b"a\n\nb\n\n" + _LINE).text == b"a\n\nb\n"
