"""The protobuf wire format, as much of it as a checked syntax tree needs.

Knows varints and length-delimited fields, and nothing of what the fields mean. The bytes come from
the engine itself, never from an event. The protobuf library would do the same for some 10 MB of
memory. Source: https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MASK64 = (1 << 64) - 1


class Message:
    """A message taken apart: each field's values, by its number, in order."""

    def __init__(self, data: bytes) -> None:
        self._numbers: dict[int, int] = {}
        self._bodies: dict[int, list[bytes]] = {}
        for number, value in _fields(data):
            if isinstance(value, int):
                self._numbers[number] = value
            else:
                self._bodies.setdefault(number, []).append(value)

    def __contains__(self, number: int) -> bool:
        return number in self._numbers or number in self._bodies

    def number(self, number: int) -> int:
        """A varint field as int64, 0 where it is left out."""
        value = self._numbers.get(number, 0)
        return value - (1 << 64) if value >> 63 else value

    def body(self, number: int) -> bytes:
        """A length-delimited or fixed-width field, empty where it is left out."""
        return self._bodies.get(number, [b""])[-1]

    def bodies(self, number: int) -> list[bytes]:
        """All values of a repeated length-delimited field."""
        return self._bodies.get(number, [])

    def text(self, number: int) -> str:
        """A string field, empty where it is left out."""
        return self.body(number).decode()


def message(parts: Iterable[tuple[int, int | str | bytes]]) -> bytes:
    """The message that has these fields: ints as varints, texts and bytes length-delimited."""
    out = bytearray()
    for number, value in parts:
        if isinstance(value, int):
            out += varint(number << 3 | _VARINT) + varint(value)
        else:
            body = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | _BYTES) + varint(len(body)) + body
    return bytes(out)


def varint(value: int) -> bytes:
    """`value` in groups of seven bits, least first; a negative one as 64-bit two's complement."""
    value &= _MASK64
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varints(packed: bytes) -> Iterator[int]:
    """The values of a packed repeated field."""
    at = 0
    while at < len(packed):
        value, at = _read_varint(packed, at)
        yield value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _read_varint(data, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}[kind]
        yield key >> 3, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
