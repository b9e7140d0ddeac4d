"""C2SP signed notes: a text, a blank line, signature lines. Bytes in, values out; no keys, no I/O.

https://c2sp.org/signed-note. Everything read here is hostile: sizes and counts are bounded
before anything is decoded.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from shipper.errors import FormatError

MAX_NOTE_BYTES = 64 * 1024 + 8 * 1024
"""A text of under 64 KiB (an entry bundle's uint16) and room for its signatures."""
MAX_TEXT_BYTES = 65_535
MAX_SIGNATURES = 16
"""As many as C2SP asks a verifier to accept at least."""

_SIGNATURE_LINE = re.compile("\u2014 ([^ +]+) ([A-Za-z0-9+/]+={0,2})\n")
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_KEY_ID_BYTES = 4


class Signature(NamedTuple):
    """One signature line: the key's name, its 4-byte id, and the signature proper."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A parsed note. `text` ends in a newline and is what was signed."""

    text: bytes
    signatures: tuple[Signature, ...]


def encode(text: bytes, *signatures: Signature) -> bytes:
    """The note's bytes."""
    lines = [
        f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"
        for name, key_id, signature in signatures
    ]
    return text + b"\n" + "".join(lines).encode()


def parse(body: bytes) -> Note:
    """Take a note apart without judging its signatures. `FormatError` says what is wrong."""
    if len(body) > MAX_NOTE_BYTES:
        raise FormatError(f"the note has {len(body)} bytes, more than {MAX_NOTE_BYTES}")
    if _CONTROL.search(body):
        raise FormatError("the note holds a control character")
    split = body.rfind(b"\n\n")
    if split < 0:
        raise FormatError("the note has no blank line before its signatures")
    text, tail = body[: split + 1], body[split + 2 :]
    if len(text) > MAX_TEXT_BYTES:
        raise FormatError(f"the note's text has {len(text)} bytes, more than {MAX_TEXT_BYTES}")
    try:
        text.decode()
        lines = tail.decode().splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise FormatError("the note is not UTF-8") from error
    if not 1 <= len(lines) <= MAX_SIGNATURES:
        raise FormatError(f"the note has {len(lines)} signature lines, not 1 to {MAX_SIGNATURES}")
    return Note(text, tuple(_signature(line) for line in lines))


def _signature(line: str) -> Signature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None or any(character.isspace() for character in match[1]):
        raise FormatError("a signature line is malformed")
    try:
        raw = base64.b64decode(match[2], validate=True)
    except binascii.Error as error:
        raise FormatError("a signature is not base64") from error
    if base64.b64encode(raw).decode() != match[2] or len(raw) <= _KEY_ID_BYTES:
        raise FormatError("a signature is not canonical base64 of a key id and a signature")
    return Signature(match[1], raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])
