"""A timeline as the bars of a chart: equal widths that fit the time asked about, gaps filled.

Pure; at most `MOST_BARS` bars, whatever the times are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from shipper.backtest.timeline import NO_TIME, Timeline, start_of

MOST_BARS = 72

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_WIDTHS = (
    _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 3 * _HOUR, 12 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY,
)  # fmt: skip
_LEAST = {"minute": _MINUTE, "hour": _HOUR, "day": _DAY, "month": 30 * _DAY}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime.min.replace(tzinfo=UTC)


class Bar(NamedTuple):
    """So many from `start` on."""

    start: datetime
    many: int

    def label(self, width_seconds: int) -> str:
        """The bar's beginning as precise as it is wide, in UTC."""
        return f"{self.start:%Y-%m-%d}" + (
            "" if width_seconds % _DAY == 0 else f" {self.start:%H:%M}"
        )


class Series(NamedTuple):
    """Bars of `width_seconds` each, without a gap; `timeless` are in none of them."""

    width_seconds: int
    bars: Sequence[Bar]
    timeless: int

    @property
    def width(self) -> str:
        """The width for people: `hour`, `15 minutes`."""
        for unit, seconds in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
            count, rest = divmod(self.width_seconds, seconds)
            if not rest:
                return unit if count == 1 else f"{count} {unit}s"
        return f"{self.width_seconds} seconds"


def series(timeline: Timeline, first: datetime | None, last: datetime | None) -> Series:
    """The bars from `first` to `last`, or for what lies beyond them, to that."""
    starts = {name: start_of(name, timeline.step) for name in timeline.buckets}
    known = [start for start in (first, last, *starts.values()) if start is not None]
    timeless = timeline.buckets[NO_TIME]
    if not known:
        return Series(_HOUR, [], timeless)
    low, high = _seconds(min(known)), _seconds(max(known))
    width = _width(high - low, _LEAST[timeline.step])
    origin = low // width
    counts = [0] * (high // width - origin + 1)
    for name, start in starts.items():
        if start is not None:
            counts[_seconds(start) // width - origin] += timeline.buckets[name]
    bars = [Bar(_moment((origin + at) * width), count) for at, count in enumerate(counts)]
    return Series(width, bars, timeless)


def _width(span: int, least: int) -> int:
    fits = (width for width in _WIDTHS if width >= least and span // width < MOST_BARS - 1)
    return next(fits, 0) or _WIDTHS[-1] * ceil(span / (MOST_BARS - 2) / _WIDTHS[-1])


def _seconds(moment: datetime) -> int:
    return int((moment - _EPOCH).total_seconds())


def _moment(seconds: int) -> datetime:
    """The bar that the calendar begins in begins with it."""
    return _EPOCH + timedelta(seconds=max(seconds, _seconds(_FIRST)))
