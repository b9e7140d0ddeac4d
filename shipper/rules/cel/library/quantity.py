"""Kubernetes quantities: `quantity("1.5Gi").isLessThan(quantity("2G"))`.

Source: k8s.io/apiserver/pkg/cel/library/quantity.go, k8s.io/apimachinery/pkg/api/resource. Counted
in billionths, the smallest part that Kubernetes keeps; held as a plain decimal. `isInteger` asks
about the value; Kubernetes also says no to `1000m` and to more than 18 digits.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from shipper.rules.cel.library.function import QUANTITY, CallError, Function, held, hold

_NANO = 10**9
_INT64 = range(-(1 << 63), 1 << 63)
_MAX_BINARY = ((1 << 63) - 1) * _NANO
_MAX_CHARS = 256
_MAX_EXPONENT = 400
_MAX_NANOS = 10 ** (_MAX_CHARS + _MAX_EXPONENT + 9)

_FORM = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([a-zA-Z]*)([+-]?[0-9]*)", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


def parse(text: str) -> int:
    """The quantity in billionths, rounded away from zero. Raises CallError."""
    form = _FORM.fullmatch(text) if len(text) <= _MAX_CHARS else None
    if form is None or not (form[2] or form[3]):
        raise CallError("not a quantity: it must be a number and a suffix such as m, k, Mi or e3")
    whole, part = form[2], form[3] or ""
    amount = Fraction(int(whole + part or "0"), 10 ** len(part)) * _scale(form[4], form[5]) * _NANO
    nanos = -(-amount.numerator // amount.denominator)
    if form[4] in _BINARY:
        nanos = min(nanos, _MAX_BINARY)
    return -nanos if form[1] == "-" else nanos


def _scale(suffix: str, exponent: str) -> Fraction:
    if not exponent and suffix in _DECIMAL:
        return Fraction(10) ** _DECIMAL[suffix]
    if not exponent and suffix in _BINARY:
        return Fraction(1 << _BINARY[suffix])
    if suffix in ("e", "E") and exponent.strip("+-") and abs(int(exponent)) <= _MAX_EXPONENT:
        return Fraction(10) ** int(exponent)
    raise CallError("unable to parse the quantity's suffix")


def _value(nanos: int) -> str:
    whole, part = divmod(abs(nanos), _NANO)
    decimal = f"{whole}.{part:09}".rstrip("0").rstrip(".")
    return hold(QUANTITY, f"-{decimal}" if nanos < 0 else decimal)


@lru_cache(maxsize=1024)
def _nanos(value: str) -> int:
    whole, _, part = held(QUANTITY, value).partition(".")
    return int(whole + part.ljust(9, "0"))


@lru_cache(maxsize=1024)
def _quantity(text: str) -> str:
    return _value(parse(text))


def _is_quantity(text: str) -> bool:
    try:
        parse(text)
    except CallError:
        return False
    return True


def _as_integer(value: str) -> int:
    whole, rest = divmod(_nanos(value), _NANO)
    if rest or whole not in _INT64:
        raise CallError("cannot convert value to integer")
    return whole


def _is_integer(value: str) -> bool:
    whole, rest = divmod(_nanos(value), _NANO)
    return not rest and whole in _INT64


def _as_approximate_float(value: str) -> float:
    try:
        return _nanos(value) / _NANO
    except OverflowError:
        return float("inf") if _nanos(value) > 0 else float("-inf")


def _sign(value: str) -> int:
    nanos = _nanos(value)
    return (nanos > 0) - (nanos < 0)


def _plus(value: str, other: str | int, sign: int) -> str:
    addend = other * _NANO if isinstance(other, int) else _nanos(other)
    total = _nanos(value) + sign * addend
    if abs(total) > _MAX_NANOS:
        raise CallError("the quantity is too large")
    return _value(total)


def _add(value: str, other: str | int) -> str:
    return _plus(value, other, 1)


def _sub(value: str, other: str | int) -> str:
    return _plus(value, other, -1)


def compare(value: str, other: str) -> int:
    mine, theirs = _nanos(value), _nanos(other)
    return (mine > theirs) - (mine < theirs)


def _is_greater(value: str, other: str) -> bool:
    return compare(value, other) > 0


def _is_less(value: str, other: str) -> bool:
    return compare(value, other) < 0


FUNCTIONS = (
    Function("quantity", "", ("string",), QUANTITY, _quantity),
    Function("isQuantity", "", ("string",), "bool", _is_quantity),
    Function("sign", QUANTITY, (), "int", _sign),
    Function("isGreaterThan", QUANTITY, (QUANTITY,), "bool", _is_greater),
    Function("isLessThan", QUANTITY, (QUANTITY,), "bool", _is_less),
    Function("compareTo", QUANTITY, (QUANTITY,), "int", compare),
    Function("asApproximateFloat", QUANTITY, (), "double", _as_approximate_float),
    Function("asInteger", QUANTITY, (), "int", _as_integer),
    Function("isInteger", QUANTITY, (), "bool", _is_integer),
    Function("add", QUANTITY, (QUANTITY,), QUANTITY, _add),
    Function("add", QUANTITY, ("int",), QUANTITY, _add),
    Function("sub", QUANTITY, (QUANTITY,), QUANTITY, _sub),
    Function("sub", QUANTITY, ("int",), QUANTITY, _sub),
)
