"""Finds by experiment which fields of an object a policy objects to, where it does not say so.

Takes fields out and asks again: what is found is proven, not guessed. Bounded; an object that no
taking out makes right (a field is missing, a value must be another) has no answer here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from shipper.rules.dialects.policy import Path

MAX_FIELDS = 500
"""Fields of an object that is experimented with; a Pod has some fifty."""

MAX_QUESTIONS = 100
"""Asked of one object at most. Each of n wrong fields of m takes about log2(m) of them."""

MAX_DEPTH = 32
"""Levels of an object that are looked into."""

_ROOT = frozenset(("apiVersion", "kind", "status"))
_IDENTITY = frozenset(("name", "image", "key", "path", "mountPath"))
"""What an element of a list is not itself without: policies go through the lists that remain."""

Passes = Callable[[Any], bool]


class _TooManyError(Exception):
    """The bound on questions is reached."""


def offending(value: Any, passes: Passes) -> Sequence[Path]:
    """The fewest fields of `value` without which it `passes`, but for ties; none if not found."""
    fields = list(_fields(value, (), MAX_DEPTH))
    if not fields or len(fields) > MAX_FIELDS:
        return []
    left = MAX_QUESTIONS

    def passes_without(taken: Collection[Path]) -> bool:
        nonlocal left
        if not left:
            raise _TooManyError
        left -= 1
        return passes(_without(value, frozenset(taken), ()))

    try:
        if not passes_without(fields):
            return []
        found = _least([], fields, passes_without, fresh=False)
        return _together(value, found) if passes_without(found) else []
    except _TooManyError:
        return []


def _least(
    taken: list[Path],
    fields: list[Path],
    passes_without: Callable[[Collection[Path]], bool],
    *,
    fresh: bool,
) -> list[Path]:
    """Which of `fields` must go as well, where `taken` are gone (Junker, QuickXplain, AAAI 2004).

    `fresh`: something was taken since it was last asked.
    """
    if fresh and passes_without(taken):
        return []
    if len(fields) == 1:
        return fields
    half = len(fields) // 2
    first, second = fields[:half], fields[half:]
    of_second = _least(taken + first, second, passes_without, fresh=True)
    of_first = _least(taken + of_second, first, passes_without, fresh=bool(of_second))
    return of_first + of_second


def _together(value: Any, found: Sequence[Path]) -> Sequence[Path]:
    """Several fields that are all there is of a map or a list are that map or list."""
    for parent in sorted({place[:end] for place in found for end in range(1, len(place))}, key=len):
        below = [place for place in found if place[: len(parent)] == parent]
        if len(below) > 1 and _leaves(_at(value, parent)) == len(below):
            at = found.index(below[0])
            found = [place for place in found if place not in below]
            found.insert(at, parent)
    return found


def _at(value: Any, place: Path) -> Any:
    for step in place:
        value = value[step]
    return value


def _leaves(value: Any) -> int:
    if isinstance(value, (dict, list)) and value:
        return sum(map(_leaves, value.values() if isinstance(value, dict) else value))
    return 1


def _fields(value: Any, at: Path, depth: int) -> Iterator[Path]:
    """The places of everything that holds nothing else and may be taken out."""
    if depth and isinstance(value, dict) and value:
        for key, below in value.items():
            if not _stays(at, key):
                yield from _fields(below, (*at, key), depth - 1)
    elif depth and isinstance(value, list) and value:
        for number, below in enumerate(value):
            yield from _fields(below, (*at, number), depth - 1)
    elif at:
        yield at


def _stays(at: Path, key: str) -> bool:
    if not at:
        return key in _ROOT
    if at == ("metadata",):
        return key not in ("labels", "annotations")
    return key in _IDENTITY and isinstance(at[-1], int)


def _without(value: Any, taken: Collection[Path], at: Path) -> Any:
    """A copy of `value`; what was emptied by the taking is gone too."""
    if isinstance(value, dict):
        kept = {
            key: _without(below, taken, (*at, key))
            for key, below in value.items()
            if (*at, key) not in taken
        }
        return {key: below for key, below in kept.items() if not _emptied(below, value[key])}
    if isinstance(value, list):
        left = [
            (_without(below, taken, (*at, number)), below)
            for number, below in enumerate(value)
            if (*at, number) not in taken
        ]
        return [below for below, before in left if not _emptied(below, before)]
    return value


def _emptied(after: Any, before: Any) -> bool:
    return after in ({}, []) and bool(before)
