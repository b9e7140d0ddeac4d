"""Texts that are durations or quantities, and numbers as Go writes them.

Source: Go's time.ParseDuration and strconv; k8s.io/apimachinery/pkg/api/resource.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from shipper.rules.cel.library import quantity as quantities
from shipper.rules.cel.library.function import CallError

_NANO = 10**9
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": _NANO} | {
    "m": 60 * _NANO,
    "h": 3600 * _NANO,
}
_PART = r"([0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(ns|us|µs|μs|ms|s|m|h)"
_PARTS = re.compile(_PART)
_DURATION = re.compile(rf"[-+]?(?:{_PART})+")
_NUMBER = re.compile(r"[-+]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][-+]?[0-9]{1,4})?")
_INTEGER = re.compile(r"[-+]?[0-9]{1,19}")
_MAX_CHARS = 256


@lru_cache(maxsize=4096)
def duration(text: str) -> int | None:
    """Nanoseconds, or None: no duration. `0` is one, other bare numbers are none."""
    if text in ("0", "+0", "-0"):
        return 0
    if len(text) > _MAX_CHARS or not _DURATION.fullmatch(text):
        return None
    total = sum(int(Decimal(number) * _UNITS[unit]) for number, unit in _PARTS.findall(text))
    return -total if text[0] == "-" else total


@lru_cache(maxsize=4096)
def quantity(text: str) -> int | None:
    """Billionths, or None: no quantity."""
    try:
        return quantities.parse(text)
    except CallError:
        return None


def number(text: str) -> float | None:
    """As Go's ParseFloat, or None."""
    return float(text) if len(text) <= _MAX_CHARS and _NUMBER.fullmatch(text) else None


def integer(text: str) -> int | None:
    """As Go's ParseInt to base 10, or None."""
    return int(text) if _INTEGER.fullmatch(text) else None


def is_number(value: Any) -> bool:
    """A JSON number; a bool is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def sprint(value: Any) -> str:
    """As Go's fmt.Sprint shows a JSON value."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return shortest(value)
    if isinstance(value, list):
        return f"[{' '.join(map(sprint, value))}]"
    return f"map[{' '.join(f'{key}:{sprint(value[key])}' for key in sorted(value))}]"


def shortest(value: float) -> str:
    """As Go's %v shows a float64, which all JSON numbers are to it: `5`, `0.5`, `1e+06`."""
    text, power = _digits(value)
    if -5 < power < 6:
        return format(Decimal(text).normalize(), "f")
    return scientific(value).replace("E", "e")


def scientific(value: float) -> str:
    """As Go's FormatFloat(value, 'E', -1, 64): `1.5E+00`."""
    text, power = _digits(value)
    digits = text.lstrip("-").replace(".", "").strip("0") or "0"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[0]}{fraction}E{'-' if power < 0 else '+'}{abs(power):02}"


def _digits(value: float) -> tuple[str, int]:
    """The shortest decimal that is this number, and the power of its first digit."""
    decimal = Decimal(repr(_bounded(value)))
    return format(decimal, "f"), decimal.adjusted() if decimal else 0


def _bounded(value: float) -> float:
    """What a float64 can hold; JSON has neither infinity nor NaN."""
    try:
        return float(value)
    except OverflowError:
        return 1.7976931348623157e308


def duration_text(nanos: int) -> str:
    """As Go's Duration.String writes it: `1h15m30.5s`."""
    if nanos == 0:
        return "0s"
    sign, rest = ("-", -nanos) if nanos < 0 else ("", nanos)
    if rest < _NANO:
        unit, size = ("ns", 1) if rest < 1000 else ("µs", 1000) if rest < 10**6 else ("ms", 10**6)
        return f"{sign}{_decimal(rest, size)}{unit}"
    minutes, seconds = divmod(rest, 60 * _NANO)
    hours, minutes = divmod(minutes, 60)
    text = f"{_decimal(seconds, _NANO)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    digits = str(part).rjust(len(str(unit)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
