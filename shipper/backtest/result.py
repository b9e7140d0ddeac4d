"""All that one backtest has counted. Two of them, of different batches, add up.

Bounded, whatever the history holds; decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from shipper.backtest.compare import Comparison
from shipper.backtest.tally import MOST_NAMES, Tally, add_up, count


class Result:
    """What was judged, and what each set of rules says of it.

    `tallies` has one for each set; `comparison` is of the first two. `first` and `last` are the
    times of the first and last event; None without any.
    """

    def __init__(self, sets: int = 1) -> None:
        self.batches = 0
        self.lines = 0
        self.raw_bytes = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.tallies: Sequence[Tally] = tuple(Tally() for _ in range(sets))
        self.comparison = Comparison() if sets > 1 else None
        self.refused: Counter[str] = Counter()

    @property
    def tally(self) -> Tally:
        """What the rules that are tried say: the newest set's."""
        return self.tallies[-1]

    def read(self, *, lines: int, raw_bytes: int) -> None:
        """A part of a batch was judged."""
        self.lines += lines
        self.raw_bytes += raw_bytes

    def reach(self, first: datetime, last: datetime) -> None:
        """Events from `first` to `last` were judged."""
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)

    def refuse(self, name: str) -> None:
        """A request had been refused already, by `name`."""
        count(self.refused, name, MOST_NAMES)

    def merge(self, other: Result) -> None:
        """Add what another process has counted."""
        self.batches += other.batches
        self.lines += other.lines
        self.raw_bytes += other.raw_bytes
        if other.first is not None and other.last is not None:
            self.reach(other.first, other.last)
        for mine, theirs in zip(self.tallies, other.tallies, strict=True):
            mine.merge(theirs)
        if self.comparison is not None and other.comparison is not None:
            self.comparison.merge(other.comparison)
        add_up(self.refused, other.refused, MOST_NAMES)
