"""Counts over time, in buckets that widen as the time that they cover grows.

Bounded: minutes become hours, days and months; what no calendar holds is counted in one bucket.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

Step = Literal["minute", "hour", "day", "month"]

MOST_BUCKETS = 1500
"""Buckets of one timeline: a day of minutes, two months of hours, four years of days."""

NO_TIME = ""
"""The bucket of events whose time is no time, and of those beyond the last step's bound."""

_STEPS: Mapping[Step, tuple[int, str]] = {
    "minute": (16, ":00Z"),
    "hour": (13, ":00:00Z"),
    "day": (10, "T00:00:00Z"),
    "month": (7, "-01T00:00:00Z"),
}
"""Characters of an RFC 3339 time in UTC that name the bucket, and what makes a time of them."""

STEPS: tuple[Step, ...] = tuple(_STEPS)

_UTC = re.compile(r"\d{4}-(0[1-9]|1[0-2])-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


class Timeline:
    """How many of something happened when. `step` is the width of its buckets."""

    def __init__(self) -> None:
        self.step: Step = "minute"
        self.buckets: Counter[str] = Counter()

    def add(self, time: str, count: int = 1) -> None:
        """Count something at `time`, RFC 3339 in UTC as the API server writes it."""
        name = time[: _STEPS[self.step][0]] if _UTC.fullmatch(time) else NO_TIME
        self._count(name, count)

    def merge(self, other: Timeline) -> None:
        """Count what `other` has."""
        self.widen(other.step)
        length = _STEPS[self.step][0]
        for name, count in other.buckets.items():
            self._count(name[:length], count)

    def widen(self, step: Step) -> None:
        """Make the buckets at least as wide as `step`."""
        if STEPS.index(step) <= STEPS.index(self.step):
            return
        self.step = step
        narrow, self.buckets = self.buckets, Counter()
        for name, count in narrow.items():
            self.buckets[name[: _STEPS[step][0]]] += count

    def _count(self, name: str, count: int) -> None:
        while name not in self.buckets and len(self.buckets) >= MOST_BUCKETS:
            if self.step == STEPS[-1]:
                name = NO_TIME
                break
            self.widen(STEPS[STEPS.index(self.step) + 1])
            name = name[: _STEPS[self.step][0]]
        self.buckets[name] += count


def start_of(bucket: str, step: Step) -> datetime | None:
    """When the bucket begins; None for that of no time, and for a day that no month has."""
    try:
        return datetime.fromisoformat(bucket + _STEPS[step][1]).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
