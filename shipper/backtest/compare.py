"""What changes from an old set of rules to a new one, event by event.

An event counts once, whatever the number of rules that speak of it. What one set could not decide
is never counted as passed: it has groups of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from shipper.backtest.tally import Group, Hit, Place

Verdict = Literal["hit", "undecided", "passed"]
Change = Literal["new", "gone", "both", "new, undecided before", "undecided, hit before"]

_CHANGES: Mapping[tuple[Verdict, Verdict], Change] = {
    ("passed", "hit"): "new",
    ("hit", "passed"): "gone",
    ("hit", "hit"): "both",
    ("undecided", "hit"): "new, undecided before",
    ("hit", "undecided"): "undecided, hit before",
}

CHANGES: tuple[Change, ...] = tuple(_CHANGES.values())


class Said(NamedTuple):
    """What one set says of the lines of a batch: the first hit of each, and what is undecided."""

    hits: dict[int, Hit]
    undecided: set[int]

    def verdict(self, line: int) -> Verdict:
        """What it says of one line; exempt is passed."""
        if line in self.hits:
            return "hit"
        return "undecided" if line in self.undecided else "passed"


class Comparison:
    """Two sets on the same history."""

    def __init__(self) -> None:
        self.groups: Mapping[Change, Group] = {change: Group() for change in CHANGES}

    def add(self, place: Place, old: Said, new: Said) -> None:
        """Count what the sets say of one batch."""
        for line in sorted(old.hits.keys() | new.hits.keys()):
            change = _CHANGES[old.verdict(line), new.verdict(line)]
            self.groups[change].add(place, new.hits.get(line) or old.hits[line])

    def merge(self, other: Comparison) -> None:
        """Add what another process has counted."""
        for change, group in self.groups.items():
            group.merge(other.groups[change])
