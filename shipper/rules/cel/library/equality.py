"""CEL's equality of plain values: numbers of different types may be equal, true and 1 are not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shipper.rules.cel.meter import METER

_COMPARISON_STEPS = 128
"""Of one pair of parts, in Python."""


def equal(left: Any, right: Any) -> bool:
    """Whether `left == right` in CEL."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


class Bag:
    """Values, each once. Texts and numbers are looked up; anything else is compared, and paid."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._scalars: set[str | int | float] = set()
        self._others: list[Any] = []
        for value in values:
            self.add(value)

    def add(self, value: Any) -> bool:
        """Whether it was new."""
        if value in self:
            return False
        if _is_scalar(value):
            self._scalars.add(value)
        else:
            self._others.append(value)
        return True

    def __contains__(self, value: Any) -> bool:
        if _is_scalar(value):
            return value in self._scalars
        METER.spend(_COMPARISON_STEPS * _parts(value) * (1 + len(self._others)))
        return any(equal(value, other) for other in self._others)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _parts(value: Any) -> int:
    """How many values there are in `value`, itself included."""
    if isinstance(value, list):
        return 1 + sum(map(_parts, value))
    if isinstance(value, dict):
        return 1 + sum(map(_parts, value.values()))
    return 1
