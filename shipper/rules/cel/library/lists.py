"""What Kubernetes adds to lists: isSorted, sum, min, max, indexOf, lastIndexOf, includes.

And `distinct` and `lists.range`, which the engine has without a bound. A sum of uints comes back as
int, which is equal to it. Source: k8s.io/apiserver/pkg/cel/library/lists.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from shipper.rules.cel.library.equality import Bag, equal
from shipper.rules.cel.library.function import CallError, Function
from shipper.rules.cel.meter import METER

_COMPARABLE = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_SUMMABLE = ("int", "uint", "double", "duration")
_TIMES = ("duration", "timestamp")
"""The engine takes them from a function only if that returns nothing else."""

_INT64 = range(-(1 << 63), 1 << 64)
_ELEMENT_BYTES = 64


def _kind(value: Any) -> type:
    for kind in (bool, (int, float), str, (bytes, bytearray), datetime, timedelta):
        if isinstance(value, kind):
            return kind if isinstance(kind, type) else kind[0]
    raise CallError("no such overload: the elements cannot be compared")


def _comparable(values: Sequence[Any]) -> Sequence[Any]:
    if len({_kind(value) for value in values}) > 1:
        raise CallError("no such overload: the elements are of different types")
    return values


def _is_sorted(values: Sequence[Any]) -> bool:
    _comparable(values)
    return all(values[i] <= values[i + 1] for i in range(len(values) - 1))


def _extreme(choose: Callable[[Sequence[Any]], Any], name: str) -> Callable[[Sequence[Any]], Any]:
    def call(values: Sequence[Any]) -> Any:
        if not values:
            raise CallError(f"{name} called on empty list")
        return choose(_comparable(values))

    return call


_min = _extreme(min, "min")
_max = _extreme(max, "max")


def _sum(values: Sequence[Any]) -> Any:
    kinds = {_kind(value) for value in values}
    if kinds - {int} and kinds != {timedelta}:
        raise CallError("no such overload: the elements cannot be summed")
    total = sum(values, timedelta() if kinds == {timedelta} else 0)
    if isinstance(total, int) and total not in _INT64:
        raise CallError("integer overflow")
    return total


def _index_of(values: Sequence[Any], wanted: Any) -> int:
    return next((at for at, value in enumerate(values) if equal(value, wanted)), -1)


def _last_index_of(values: Sequence[Any], wanted: Any) -> int:
    at = _index_of(values[::-1], wanted)
    return len(values) - 1 - at if at >= 0 else -1


def _includes(target: Any, wanted: Any) -> bool:
    if isinstance(target, list):
        return _index_of(target, wanted) >= 0
    return equal(target, wanted)


def _distinct(values: Sequence[Any]) -> list[Any]:
    seen = Bag()
    found = [value for value in values if seen.add(value)]
    METER.grow(_ELEMENT_BYTES * len(found))
    return found


def _range(count: int) -> list[int]:
    METER.grow(_ELEMENT_BYTES * max(count, 0))
    return list(range(count))


FUNCTIONS = (
    *(Function("isSorted", f"list<{of}>", (), "bool", _is_sorted) for of in _COMPARABLE),
    *(Function("min", f"list<{of}>", (), of, _min) for of in _COMPARABLE),
    *(Function("max", f"list<{of}>", (), of, _max) for of in _COMPARABLE),
    *(Function("sum", f"list<{of}>", (), of, _sum) for of in _SUMMABLE),
    *(Function(f"@min.{of}", f"list<{of}>", (), of, _min) for of in _TIMES),
    *(Function(f"@max.{of}", f"list<{of}>", (), of, _max) for of in _TIMES),
    Function("@sum.duration", "list<duration>", (), "duration", _sum),
    Function("@indexOf", "list<~A>", ("~A",), "int", _index_of),
    Function("@lastIndexOf", "list<~A>", ("~A",), "int", _last_index_of),
    Function("includes", "dyn", ("dyn",), "bool", _includes),
    Function("@distinct", "list<~A>", (), "list<~A>", _distinct),
    Function("@lists.range", "", ("int",), "list<int>", _range),
)
