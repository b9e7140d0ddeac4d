"""Sizes, moments and durations as people read them."""

from __future__ import annotations

from datetime import datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def size(count: int) -> str:
    """`12.3 MB`, in powers of 1000."""
    number, unit = float(count), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{count} B" if not unit else f"{number:.1f} {_UNITS[unit]}"


def moment(when: datetime) -> str:
    """`2026-11-23T14:00:00Z`."""
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def span(seconds: float) -> str:
    """`3.2 s`, `45 s`, `12 min`, `5.5 h`, `3 d`."""
    for unit_seconds, unit in _SPANS:
        if seconds >= 2 * unit_seconds:
            return f"{seconds / unit_seconds:.3g} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
