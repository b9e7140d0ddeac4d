"""Lists as sets: `sets.contains`, `sets.equivalent`, `sets.intersects`.

The engine has them and compares each element with each; here texts, the ordinary case, are looked
up. Source: the sets extension of google/cel-go, which Kubernetes uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipper.rules.cel.library.equality import Bag
from shipper.rules.cel.library.function import Function


def _contains(values: Sequence[Any], wanted: Sequence[Any]) -> bool:
    bag = Bag(values)
    return all(value in bag for value in wanted)


def _equivalent(values: Sequence[Any], others: Sequence[Any]) -> bool:
    return _contains(values, others) and _contains(others, values)


def _intersects(values: Sequence[Any], others: Sequence[Any]) -> bool:
    bag = Bag(values)
    return any(value in bag for value in others)


_TWO_LISTS = ("list<~A>", "list<~A>")

FUNCTIONS = (
    Function("@sets.contains", "", _TWO_LISTS, "bool", _contains),
    Function("@sets.equivalent", "", _TWO_LISTS, "bool", _equivalent),
    Function("@sets.intersects", "", _TWO_LISTS, "bool", _intersects),
)
