"""Reads texts out of plain JSON values, for the detection languages: everything is text there.

Pure; never raises on data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

MAX_TEXTS = 10_000
"""Texts of one field; an object that has more is looked at no further."""


class _Missing:
    """There is no such value."""


MISSING = _Missing()
_PLAIN = (dict, list, str, bool, int, float, type(None))


def text_of(value: Any) -> str:
    """A text as it is; of anything else its compact JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def at(value: Any, pointer: Sequence[str]) -> Any:
    """What a JSON pointer (RFC 6901, its steps unescaped) leads to, or MISSING.

    Also MISSING if `value` is none of JSON's.
    """
    for step in pointer:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and step.isascii() and step.isdecimal() and len(step) < 10:
            value = value[int(step)] if int(step) < len(value) else MISSING
        else:
            return MISSING
    return value if isinstance(value, _PLAIN) else MISSING


def steps_of(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer; the first slash may be left out."""
    if pointer in ("", "/"):
        return ()
    steps = pointer.removeprefix("/").split("/")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def named(value: Any, name: str) -> Iterator[Any]:
    """The values of all fields at any depth that are called `name` (in lower case)."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            for key, item in one.items():
                if key.lower() == name:
                    yield item
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)


def leaves(value: Any) -> Iterator[str]:
    """The texts in `value`, and if it is a map or a list its own JSON last. Null has none."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        elif one is not None:
            yield text_of(one)
    if isinstance(value, dict | list):
        yield text_of(value)
