"""Messages: filled in, one line, harmless to whoever reads them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.rules.message import MAX_MESSAGE, MAX_VALUE, Part, split
from shipper.text import harmless
from tests.rules.support import found, line, rule, rules_of


def test_a_template_is_text_and_expressions() -> None:
    """An expression knows its row; a brace without its other half is text."""
    assert split("a {{ b }}\n{{\nc}} }} {{ d") == [
        Part("a ", False, 1),
        Part("b", True, 1),
        Part("\n", False, 1),
        Part("c", True, 2),
        Part(" }} {{ d", False, 1),
    ]


def message(directory: Path, template: str, **fields: object) -> str:
    (finding,) = found(rules_of(directory, rule(message=template)), line(**fields))
    return finding.message


def test_values_are_filled_in(tmp_path: Path) -> None:
    """Texts, numbers, booleans and joined lists; what the event does not have is (unknown)."""
    template = "{{ event.verb }} {{ event.responseStatus.code }} {{ request.dryRun }}"
    fields = {"verb": "get", "responseStatus": {"code": 200}, "user": {"groups": ["a", "b"]}}
    assert message(tmp_path, template, **fields) == "get 200 false"
    joined = "{{ event.user.groups.join(', ') }} {{ object.metadata.name }}"
    assert message(tmp_path, joined, **fields) == "a, b (unknown)"


def test_without_a_message_the_title_is_it(tmp_path: Path) -> None:
    """Every finding says something."""
    (finding,) = found(rules_of(tmp_path, rule()), line())
    assert finding.message == finding.title == "A title"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\u000ab"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("\u202eabc", "\\u202eabc"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("Grüße 日本", "Grüße 日本"),
        ("\x00", "\\u0000"),
    ],
)
def test_nothing_that_a_terminal_would_obey(text: str, shown: str) -> None:
    """Control characters, line breaks, marks of direction, tags: as escapes."""
    assert harmless(text, 100) == shown


@given(st.text(max_size=60), st.integers(1, 50))
def test_every_text_has_an_end_and_one_line(text: str, limit: int) -> None:
    """At most as long as said, and of nothing but what can be seen."""
    shown = harmless(text, limit)
    assert len(shown) <= limit
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)


def test_long_values_do_not_make_long_messages(tmp_path: Path) -> None:
    """A value is cut, and the whole message is."""
    said = message(tmp_path, "{{ event.verb }}" * 10, verb="x" * 100_000)
    assert len(said) == MAX_MESSAGE
    assert said.startswith("x" * (MAX_VALUE - 1) + "…")


def test_a_field_that_is_empty_has_the_text_that_stands_for_it(tmp_path: Path) -> None:
    """Told without CEL, and as CEL tells it: texts, the code, annotations."""
    template = (
        "{{ event.verb }} {{ event.user.username != '' ? event.user.username : 'nobody' }}"
        " {{ event.objectRef.name != '' ? event.objectRef.name : 'none' }}"
        " {{ event.responseStatus.code != 0 ? string(event.responseStatus.code) : 'open' }}"
        " {{ event.annotations[?'a/b'].orValue('') != '' ? event.annotations[?'a/b'].orValue('')"
        " : 'unsaid' }} {{ event.verb != 'get' ? event.verb : 'read' }}"
        " {{ event.objectRef.name != '' ? event.verb : 'unnamed' }}"
    )
    rules = rules_of(tmp_path, rule(message=template))
    (one,) = found(rules, line(verb="get", user={"username": "bob"}, responseStatus={"code": 200}))
    assert one.message == "get bob none 200 unsaid read unnamed"
    (one,) = found(rules, line(verb="list", annotations={"a/b": "x\u202ey"}))
    assert one.message == "list nobody none open x\\u202ey list unnamed"
