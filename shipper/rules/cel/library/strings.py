"""Functions on texts that the engine has, done in Python because they need a bound.

In the engine the size of what `replace`, `split` and `join` make is not limited, and `contains` and
`indexOf` may take the product of both sizes. Semantics: google/cel-spec, the strings extension of
google/cel-go, as the engine has them; positions count code points.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipper.rules.cel.library.function import CallError, Function
from shipper.rules.cel.meter import METER

_CHARS_IN_A_STEP = 4
_ELEMENT_BYTES = 64
"""What a text takes in a list, beside its own bytes."""


def _contains(text: str, part: str) -> bool:
    _pay(text, part)
    return part in text


def _index_of(text: str, part: str, offset: int = 0) -> int:
    _pay(text, part)
    _in_range(text, offset)
    return text.find(part, offset)


def last_index_of(text: str, part: str, offset: int | None = None) -> int:
    """The last place of `part` that begins at `offset` or before; -1 if there is none."""
    _pay(text, part)
    if offset is not None:
        _in_range(text, offset)
        text = text[: offset + len(part)]
    # Backwards: str.rfind may take the product of both sizes, str.find their sum.
    at = text[::-1].find(part[::-1])
    return -1 if at < 0 else len(text) - at - len(part)


def _pay(text: str, part: str) -> None:
    METER.spend((len(text) + len(part)) / _CHARS_IN_A_STEP)


def _in_range(text: str, offset: int) -> None:
    if not 0 <= offset <= len(text):
        raise CallError(f"index out of range: {offset}")


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    _pay(text, old)
    count = text.count(old)
    count = min(count, limit) if limit >= 0 else count
    METER.grow(len(text) + count * len(new))
    return text.replace(old, new, count)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    METER.grow(len(text) + _ELEMENT_BYTES * (text.count(separator) + 1))
    if limit == 0:
        return []
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    if limit < 0 or limit >= len(text):
        return list(text)
    return [*text[: limit - 1], text[limit - 1 :]]


def _join(parts: Sequence[object], separator: str = "") -> str:
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) < len(parts):
        raise CallError("no such overload: join needs a list of texts")
    METER.grow(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


FUNCTIONS = (
    Function("@contains", "string", ("string",), "bool", _contains),
    Function("@indexOf", "string", ("string",), "int", _index_of),
    Function("@indexOf", "string", ("string", "int"), "int", _index_of),
    Function("@lastIndexOf", "string", ("string",), "int", last_index_of),
    Function("@lastIndexOf", "string", ("string", "int"), "int", last_index_of),
    Function("@replace", "string", ("string", "string"), "string", _replace),
    Function("@replace", "string", ("string", "string", "int"), "string", _replace),
    Function("@split", "string", ("string",), "list<string>", _split),
    Function("@split", "string", ("string", "int"), "list<string>", _split),
    Function("@join", "list<string>", (), "string", _join),
    Function("@join", "list<string>", ("string",), "string", _join),
)
