"""What the API server says it wrote, against what was read. Pure: samples in, differences out.

Neither side can be stopped to be counted, so each sample gives two bounds. Each line that was read
before the scrape (`before`) the server had counted then; all that it had written then could be read
once the reader came to the log's end a moment later (`after`). So, with X for what was counted less
what was read, which a loss raises and an added line lowers,

    upper = events - failed - before >= X
    lower = events - failed - after  <= X + in flight

Events in flight are counted and not written yet. They never last: the floor, the least of the last
lower bounds, is free of them. A floor above an upper bound of earlier proves a loss since; an upper
bound below a floor of earlier proves lines that no API server wrote. A new process counts from 0,
and is a new beginning.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from shipper.audit.counters import Counters

TOLERANCE = 50
"""Events in flight at every scrape, and then some; a loss of fewer shows once it has grown."""

LASTS = 3
"""Samples that make a floor: a slow disk holds events back, for less long."""

CLOCK_SECONDS = 2.0
"""How far a process's start may move: the kernel tells it by the wall clock, in whole seconds."""


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
        self._newest = 0.0
        self._lowers: deque[int] = deque(maxlen=LASTS)
        self._least_upper = 0
        self._greatest_floor: int | None = None

    def add(self, sample: Sample) -> Difference | None:
        """What this sample proves; None if it is the first of its process, unless that failed to
        write already and the one before it was known."""
        now, last = sample.counters, self._last
        written = now.events - now.failed
        lower, upper = written - sample.after, written - sample.before
        self._last = now
        if last is None or _is_another(now, last):
            self._lowers = deque([lower], maxlen=LASTS)
            self._least_upper, self._greatest_floor = upper, None
            # Not one that was known before: behind a load balancer they take turns.
            fresh = last is not None and now.started > self._newest + CLOCK_SECONDS
            self._newest = max(self._newest, now.started)
            return Difference(failed=now.failed) if fresh and now.failed else None
        self._lowers.append(lower)
        return Difference(now.failed - last.failed, self._missing(upper), self._gained(upper))

    def _missing(self, upper: int) -> int:
        """By how much the floor is above what was possible; told once, it is no news."""
        floor = self._floor()
        found = 0 if floor is None else _tolerated(floor - self._least_upper)
        self._least_upper = min(self._least_upper + found, upper)
        return found

    def _gained(self, upper: int) -> int:
        """By how much less is possible now than there was; told once, it is no news."""
        known, floor = self._greatest_floor, self._floor()
        found = 0 if known is None else _tolerated(known - upper)
        if floor is not None:
            self._greatest_floor = floor if known is None else max(known - found, floor)
        return found

    def _floor(self) -> int | None:
        return min(self._lowers) if len(self._lowers) == LASTS else None


def _is_another(now: Counters, last: Counters) -> bool:
    """Whether these are the counters of another process."""
    moved = abs(now.started - last.started) > CLOCK_SECONDS
    return moved or now.events < last.events or now.failed < last.failed


def _tolerated(difference: int) -> int:
    return difference if difference > TOLERANCE else 0
