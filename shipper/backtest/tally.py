"""Counts what rules would have found: how often, by whom, where, since when, with samples.

Pure and bounded: names beyond a limit are counted together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from shipper.model import Finding, Severity

SAMPLES = 5
"""Findings of a rule that are shown whole."""

MOST_NAMES = 10_000
"""Users and namespaces of a rule that are told apart."""

OTHERS = "(others)"

REASONS = 20
"""Ways in which a rule could not be answered that are told apart."""


class Place(NamedTuple):
    """A batch of sealed history."""

    log: str
    seq: int


class Sample(msgspec.Struct, frozen=True):
    """One finding, and the sealed record that its event lies in."""

    log: str
    seq: int
    finding: Finding


class RuleTally:
    """What one rule would have found."""

    def __init__(self, severity: Severity) -> None:
        self.severity = severity
        self.matches = 0
        self.undecided = 0
        self.reasons: Counter[str] = Counter()
        self.users: Counter[str] = Counter()
        self.namespaces: Counter[str] = Counter()
        self.first = self.last = ""
        self.samples: list[Sample] = []

    def add(self, place: Place, finding: Finding) -> None:
        """Count a finding."""
        if finding.verdict == "indeterminate":
            self.undecided += 1
            _count(self.reasons, finding.message, REASONS)
            return
        self.matches += 1
        _count(self.users, finding.who.user, MOST_NAMES)
        _count(self.namespaces, finding.what.namespace, MOST_NAMES)
        self.first = min(self.first or finding.time, finding.time)
        self.last = max(self.last, finding.time)
        if len(self.samples) < SAMPLES:
            self.samples.append(Sample(place.log, place.seq, finding))


class Tally:
    """What all rules would have found in what was judged."""

    def __init__(self) -> None:
        self.batches = 0
        self.lines = 0
        self.raw_bytes = 0
        self.rules: dict[str, RuleTally] = {}

    def add(self, place: Place, findings: Iterable[Finding], *, lines: int, raw_bytes: int) -> None:
        """A batch was judged."""
        self.batches += 1
        self.lines += lines
        self.raw_bytes += raw_bytes
        for finding in findings:
            tally = self.rules.get(finding.rule)
            if tally is None:
                tally = self.rules[finding.rule] = RuleTally(finding.severity)
            tally.add(place, finding)


def _count(counter: Counter[str], name: str, most: int) -> None:
    known = name in counter or len(counter) < most
    counter[name if known else OTHERS] += 1
