"""Kyverno's arithmetic on numbers, quantities and durations: `add('1Gi', '512Mi')`.

Source: kyverno pkg/engine/jmespath/arithmetic.go. Quantities are counted in billionths, durations
in nanoseconds. What does not go together is an EvaluationError.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from shipper.rules.dialects.kyverno.errors import EvaluationError
from shipper.rules.dialects.kyverno.scalars import duration, duration_text, is_number, quantity

_NANO = 10**9
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_DECIMAL = ("", "k", "M", "G", "T", "P", "E")
_MAX = 10**60


class _Operand(NamedTuple):
    kind: Literal["number", "quantity", "duration"]
    value: Any
    binary: bool = False


def _operand(value: Any) -> _Operand:
    if is_number(value):
        return _Operand("number", value)
    if isinstance(value, str):
        nanos = quantity(value)
        if nanos is not None:
            return _Operand("quantity", nanos, value.endswith("i"))
        span = duration(value)
        if span is not None:
            return _Operand("duration", span)
    raise EvaluationError("an operand is no number, quantity or duration")


def _shown(kind: str, value: Any, *, binary: bool = False) -> Any:
    if kind == "number":
        return value
    if abs(value) > _MAX:
        raise EvaluationError("a quantity is too large")
    return duration_text(int(value)) if kind == "duration" else quantity_text(value, binary=binary)


def quantity_text(nanos: int, *, binary: bool) -> str:
    """As Kubernetes writes a quantity: the largest suffix that leaves an integer."""
    sign, rest = ("-", -nanos) if nanos < 0 else ("", nanos)
    if rest == 0:
        return "0"
    if rest % _NANO:
        for suffix, unit in (("m", 10**6), ("u", 10**3), ("n", 1)):
            if rest % unit == 0:
                return f"{sign}{rest // unit}{suffix}"
    whole = rest // _NANO
    base, suffixes = (1024, ("", *_BINARY)) if binary else (1000, _DECIMAL)
    at = 0
    while at + 1 < len(suffixes) and whole % base == 0:
        whole //= base
        at += 1
    return f"{sign}{whole}{suffixes[at]}"


def add(left: Any, right: Any) -> Any:
    """Two of one kind."""
    one, other = _operand(left), _operand(right)
    _same_kind(one, other)
    return _shown(one.kind, one.value + other.value, binary=one.binary)


def subtract(left: Any, right: Any) -> Any:
    """Two of one kind."""
    one, other = _operand(left), _operand(right)
    _same_kind(one, other)
    return _shown(one.kind, one.value - other.value, binary=one.binary)


def multiply(left: Any, right: Any) -> Any:
    """At least one of both must be a number."""
    one, other = _operand(left), _operand(right)
    if one.kind == "number":
        one, other = other, one
    if other.kind != "number":
        raise EvaluationError("types mismatch")
    if one.kind == "number":
        return one.value * other.value
    return _shown(one.kind, _whole(one.value * Fraction(other.value)), binary=one.binary)


def divide(left: Any, right: Any) -> Any:
    """Two of one kind give a number; a quantity or duration by a number gives one of its kind."""
    one, other = _operand(left), _operand(right)
    if other.value == 0:
        raise EvaluationError("zero divisor")
    if one.kind == other.kind:
        return one.value / other.value
    if other.kind != "number":
        raise EvaluationError("types mismatch")
    return _shown(one.kind, _whole(one.value / Fraction(other.value)), binary=one.binary)


def modulo(left: Any, right: Any) -> Any:
    """Two of one kind; numbers and quantities must be integers. The sign is the dividend's."""
    one, other = _operand(left), _operand(right)
    _same_kind(one, other)
    unit = _NANO if one.kind == "quantity" else 1
    if one.value % unit or other.value % unit or not (_integral(one) and _integral(other)):
        raise EvaluationError("modulo of non-integers")
    if other.value == 0:
        raise EvaluationError("zero divisor")
    rest = abs(int(one.value)) % abs(int(other.value))
    return _shown(one.kind, -rest if one.value < 0 else rest, binary=one.binary)


def total(items: list[Any]) -> Any:
    """The sum of all, of one kind."""
    if not items:
        raise EvaluationError("the sum of nothing")
    found = items[0]
    for item in items[1:]:
        found = add(found, item)
    return found


def rounded(value: float, digits: float) -> float:
    """Half away from zero, at so many digits."""
    if digits != int(digits) or digits < 0:
        raise EvaluationError("round() takes a whole number of digits")
    shift = 10.0 ** min(int(digits), 300)
    shifted = value * shift
    if math.isinf(shifted):
        return value
    return math.copysign(math.floor(abs(shifted) + 0.5), shifted) / shift


def _same_kind(one: _Operand, other: _Operand) -> None:
    if one.kind != other.kind:
        raise EvaluationError("types mismatch")


def _integral(operand: _Operand) -> bool:
    return bool(operand.value == int(operand.value))


def _whole(value: Fraction) -> int:
    return math.trunc(value)
