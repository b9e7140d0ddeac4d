"""What the API server says it wrote, against what was read. Pure: samples in, differences out.

Neither side can be stopped to be counted, so each sample gives two bounds. Each line that was read
before the scrape (`before`) the server had counted then; all that it had counted then could be read
once the reader came to the log's end a moment later (`after`). So, with C for what was counted and
not read before we began,

    events - failed - after  <=  C + lost - gained + in flight
    events - failed - before >=  C + lost - gained

and a lower bound now that is above the least upper bound so far proves a loss (the other way round:
lines that no API server wrote). Events that were counted and are being written blur it by a few; a
difference must be larger than that, and last. A new process counts from 0, and is a new beginning.
"""

from __future__ import annotations

from typing import NamedTuple

from shipper.audit.counters import Counters

TOLERANCE = 50
"""Events in flight at a scrape, and then some; a loss of fewer shows once it has grown."""

LASTS = 3
"""Samples in a row that must show a difference: a slow disk holds events back, for less long."""


class Sample(NamedTuple):
    """The API server's counters, and the events read before they were asked for and, to the log's
    end, after."""

    counters: Counters
    before: int
    after: int


class Difference(NamedTuple):
    """Events: `failed` could not be written, as the server says; at least `missing` were written
    and never read; at least `gained` were read and never written by it."""

    failed: int = 0
    missing: int = 0
    gained: int = 0


class Balance:
    """Goes from sample to sample."""

    def __init__(self) -> None:
        self._last: Counters | None = None
        self._least_upper = 0
        self._greatest_lower = 0
        self._missing: list[int] = []
        self._gained: list[int] = []

    def add(self, sample: Sample) -> Difference | None:
        """What this sample proves; None if it is the first of its process."""
        now, last = sample.counters, self._last
        written = now.events - now.failed
        lower, upper = written - sample.after, written - sample.before
        self._last = now
        if last is None or now.started != last.started or now.events < last.events:
            self._least_upper, self._greatest_lower = upper, lower
            self._missing, self._gained = [], []
            return None
        missing = _lasting(self._missing, lower - self._least_upper)
        gained = _lasting(self._gained, self._greatest_lower - upper)
        # What was told once is no news: both bounds move by it.
        self._least_upper = min(self._least_upper + missing, upper)
        self._greatest_lower = max(self._greatest_lower - gained, lower)
        return Difference(max(0, now.failed - last.failed), missing, gained)


def _lasting(seen: list[int], difference: int) -> int:
    """The least of a difference that has lasted; 0 as long as it has not."""
    if difference <= TOLERANCE:
        seen.clear()
        return 0
    seen.append(difference)
    if len(seen) < LASTS:
        return 0
    least = min(seen)
    seen.clear()
    return least
