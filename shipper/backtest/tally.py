"""Counts what rules and policies say of history: how often, of whom, where, when, with samples.

Pure and bounded: names beyond a limit are counted together. Decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from shipper.backtest.timeline import Timeline
from shipper.backtest.workload import Workload
from shipper.model import Finding, Severity

SAMPLES = 5
"""Findings of a rule that are shown whole, no two of the same user and workload."""

MOST_NAMES = 10_000
"""Users, namespaces and workloads of a rule that are told apart."""

OTHERS = "(others)"

REASONS = 20
"""Ways in which a rule could not be answered, or was not asked, that are told apart."""

AUDIT_RULE = "AuditRule"

Alike = tuple[str, str, str]
"""Subject, user and workload: two samples that share them tell a reader the same."""


class Place(NamedTuple):
    """A batch of sealed history, or a log file (`seq` is None); `order`: how many came before."""

    log: str
    seq: int | None
    order: int = 0


class Subject(NamedTuple):
    """What is counted: an AuditRule, or one rule of an admission policy (`rule` may be empty)."""

    kind: str
    namespace: str
    name: str
    rule: str = ""

    @property
    def policy(self) -> str:
        """The policy as people say it: `ClusterPolicy no-latest`, `Policy team-a/limits`."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"

    def __str__(self) -> str:
        if self.kind == AUDIT_RULE:
            return self.name
        return f"{self.policy}, {self.rule}" if self.rule else self.policy


def _nothing() -> tuple[str, ...]:
    return ()


class Hit(NamedTuple):
    """What one subject finds in one event, or would have denied.

    `change` finds out what to change, as the lines of a diff; it is called for samples alone.
    """

    subject: Subject
    finding: Finding
    workload: Workload
    change: Callable[[], tuple[str, ...]] = _nothing

    @property
    def alike(self) -> Alike:
        """What it has in common with others that say the same."""
        return str(self.subject), self.finding.who.user, str(self.workload)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One finding, and the record that its event lies in. `change`: what to change, as a diff."""

    log: str
    seq: int | None
    finding: Finding
    workload: str
    change: tuple[str, ...] = ()
    subject: str = ""
    order: int = 0

    @property
    def alike(self) -> Alike:
        """What it has in common with others that say the same."""
        return self.subject, self.finding.who.user, self.workload

    @property
    def position(self) -> tuple[int, int]:
        """Its place in the history."""
        return self.order, self.finding.line


def _sample(place: Place, hit: Hit) -> Sample:
    return Sample(
        log=place.log,
        seq=place.seq,
        order=place.order,
        finding=hit.finding,
        workload=str(hit.workload),
        change=hit.change(),
        subject=str(hit.subject),
    )


class Group:
    """Events of which the same is said: how many, when, by whom, where, of which workload.

    `guessed` of them count under a workload that a name was read for. `samples` are the first ones
    that differ, the same whoever has counted what.
    """

    def __init__(self) -> None:
        self.matches = 0
        self.users: Counter[str] = Counter()
        self.namespaces: Counter[str] = Counter()
        self.workloads: Counter[str] = Counter()
        self.guessed = 0
        self.timeline = Timeline()
        self.first = self.last = ""
        self.samples: list[Sample] = []

    def add(self, place: Place, hit: Hit) -> None:
        """Count an event."""
        finding = hit.finding
        self.matches += 1
        count(self.users, finding.who.user, MOST_NAMES)
        count(self.namespaces, finding.what.namespace, MOST_NAMES)
        count(self.workloads, str(hit.workload), MOST_NAMES)
        self.timeline.add(finding.time)
        if finding.time:
            self.first = min(self.first or finding.time, finding.time)
            self.last = max(self.last, finding.time)
        self.guessed += hit.workload.guessed
        if len(self.samples) < SAMPLES and hit.alike not in {one.alike for one in self.samples}:
            self.samples.append(_sample(place, hit))

    def merge(self, other: Group) -> None:
        """Count what another has counted elsewhere."""
        self.matches += other.matches
        for mine, theirs in (
            (self.users, other.users),
            (self.namespaces, other.namespaces),
            (self.workloads, other.workloads),
        ):
            add_up(mine, theirs, MOST_NAMES)
        self.timeline.merge(other.timeline)
        self.first = min(filter(None, (self.first, other.first)), default="")
        self.last = max(self.last, other.last)
        self.guessed += other.guessed
        both = sorted([*self.samples, *other.samples], key=lambda one: one.position)
        first = {sample.alike: sample for sample in reversed(both)}
        self.samples = sorted(first.values(), key=lambda one: one.position)[:SAMPLES]


class RuleTally(Group):
    """What one subject would have found, or denied.

    `spoken` counts the objects that a policy's rule speaks of, whatever it says; 0 for AuditRules.
    `severity` is an AuditRule's, `action` what a policy is written to do to a failure.
    """

    def __init__(self, severity: Severity | Literal[""] = "", action: str = "") -> None:
        super().__init__()
        self.severity = severity
        self.action = action
        self.spoken = 0
        self.undecided = 0
        self.exempt = 0
        self.reasons: Counter[str] = Counter()
        self.exemptions: Counter[str] = Counter()

    def undecide(self, reason: str) -> None:
        """It could not be answered, for `reason`."""
        self.undecided += 1
        count(self.reasons, reason, REASONS)

    def excuse(self, why: str) -> None:
        """It speaks of the object and exempts it, for the reason `why`."""
        self.exempt += 1
        count(self.exemptions, why, REASONS)

    def merge(self, other: Group) -> None:
        super().merge(other)
        if isinstance(other, RuleTally):
            self.spoken += other.spoken
            self.undecided += other.undecided
            self.exempt += other.exempt
            add_up(self.reasons, other.reasons, REASONS)
            add_up(self.exemptions, other.exemptions, REASONS)


class Cost:
    """What asking took: CPU nanoseconds, and of how many objects a policy was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.nanoseconds = 0

    def add(self, nanoseconds: int, asked: int = 1) -> None:
        """So much for so many."""
        self.asked += asked
        self.nanoseconds += nanoseconds

    def merge(self, other: Cost) -> None:
        """Add another's."""
        self.asked += other.asked
        self.nanoseconds += other.nanoseconds

    @property
    def microseconds_each(self) -> float:
        """For each that was asked."""
        return self.nanoseconds / 1000 / max(self.asked, 1)


class Tally:
    """What all rules of one set would have found in what was judged."""

    def __init__(self) -> None:
        self.rules: dict[Subject, RuleTally] = {}
        self.denied = Group()
        """Requests that at least one policy would have denied, each once."""
        self.doubts: Counter[str] = Counter()
        """What is not known of the policies in force, where the log keeps them current."""
        self.costs: dict[str, Cost] = {}
        """By policy; of all AuditRules together under their kind, for each event."""

    def of(
        self, subject: Subject, *, severity: Severity | Literal[""] = "", action: str = ""
    ) -> RuleTally:
        """The subject's tally, made if it has none."""
        tally = self.rules.get(subject)
        if tally is None:
            tally = self.rules[subject] = RuleTally(severity, action)
        return tally

    def cost(self, name: str) -> Cost:
        """What asking `name` has taken, made if nothing is known of it."""
        return self.costs.setdefault(name, Cost())

    def merge(self, other: Tally) -> None:
        """Count what another process has counted."""
        for subject, theirs in other.rules.items():
            mine = self.rules.setdefault(subject, RuleTally(theirs.severity, theirs.action))
            mine.merge(theirs)
        self.denied.merge(other.denied)
        add_up(self.doubts, other.doubts, REASONS)
        for name, cost in other.costs.items():
            self.cost(name).merge(cost)


def count(counter: Counter[str], name: str, most: int, times: int = 1) -> None:
    """Count `name`, or with the others if it is new and there are `most` already."""
    known = name in counter or len(counter) < most
    counter[name if known else OTHERS] += times


def add_up(counter: Counter[str], other: Counter[str], most: int) -> None:
    """Count what `other` has, the most frequent first."""
    for name, times in other.most_common():
        count(counter, name, most, times)
