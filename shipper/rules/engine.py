"""Asks every rule about every event, at a cost that is bounded for each event.

Never raises on bytes, and a fault in one rule is that rule's finding, never the daemon's end. No
clock, no I/O: time is the events' own, and the only state is what thresholds count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from shipper.model import Finding
from shipper.rules.ask import Asker
from shipper.rules.asked import Asked
from shipper.rules.bind import Binder
from shipper.rules.costs import Costs
from shipper.rules.event import Event, decode_events, recover
from shipper.rules.gate import Gate, Gates
from shipper.rules.guardrails.judge import Guardrails
from shipper.rules.index import Index
from shipper.rules.marks import Marks
from shipper.rules.match import stages_of
from shipper.rules.report import Report
from shipper.rules.ruleset import RuleSet
from shipper.rules.tell import Teller
from shipper.rules.terms import Terms, is_dry_run

MAX_REMEMBERED = 4096
"""Requests alike whose rules are remembered, some 2 MiB: a cluster's requests repeat themselves.
Whoever invents new ones pays with a search of the index each."""

CHUNK_LINES = 32
"""Lines that are decoded before they are looked at. Their events take some 50 KB, which stay in the
processor's cache; those of a whole mebibyte do not, and cost half as much again."""

_JOINED = "a torn line joined with a whole event, which was evaluated"
_NULS = "holds NUL bytes"
_EMPTY = "empty"
_OTHER = "not JSON, or not an audit.k8s.io Event"
_ODD = "an event with a field of a type that the API server never writes, evaluated without it"


_ANSWERS = frozenset(("ResponseStarted", "ResponseComplete"))

Seen = Callable[[Sequence[Event | None]], None]


class _Concerned(NamedTuple):
    """What an event, and every other that is alike, need be shown to."""

    gate: Gate
    judged: bool
    followed: bool


class Engine:
    """The rules of one set at work. For one thread at a time."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        binder = Binder(rules.environment, rules.params)
        self._index = Index(rule for rule in rules.rules if rule not in rules.inert)
        self._asker = Asker(binder)
        self._gates = Gates()
        self._marks = Marks(
            text
            for needed in rules.filters.values()
            for clause in needed.in_annotations
            for text in clause
        )
        self._asked = {
            rule: Asked(rule, self._marks.sure(rules.filters[rule]), Teller(rule, binder))
            for rule in rules.rules
        }
        self._stages = frozenset(
            stage for rule in rules.rules for stage in stages_of(rule.match.stages)
        )
        self.guardrails = Guardrails(rules.guarded, binder)
        if not self.guardrails.are_idle:
            self._stages |= _ANSWERS
        self._remembered: dict[tuple[Any, ...], _Concerned] = {}

    def evaluate(
        self,
        lines: Sequence[bytes],
        *,
        first_line: int = 0,
        seen: Seen | None = None,
        costs: Costs | None = None,
        report: Report | None = None,
        most_bytes: int | None = None,
        stopped: Callable[[int], object] | None = None,
    ) -> list[Finding]:
        """The findings in `lines`, in their order; `first_line` is the first one's number.

        `seen` is given the events as they are decoded, some lines at a time, with None for a line
        that is no event: one decode serves the record too. `costs` is given what rules take, and
        `report` is told what is found in place of one that folds what repeats itself. Once what is
        found takes `most_bytes` no rule is asked of further lines; `stopped` is told how many were.
        """
        self._asker.costs = costs
        report = report or Report(self.rules.malformed, most_bytes=most_bytes)
        for start in range(0, len(lines), CHUNK_LINES):
            chunk = lines[start : start + CHUNK_LINES]
            events = decode_events(chunk)
            if seen is not None:
                seen(events)
            asked = self._chunk(events, chunk, first_line + start, report)
            if report.is_full:
                if stopped is not None:
                    stopped(start + asked)
                break
        return report.findings()

    def _chunk(
        self, events: Sequence[Event | None], chunk: Sequence[bytes], first: int, report: Report
    ) -> int:
        """Ask about events until the report is full; of how many that was."""
        for at, event in enumerate(events):
            if event is None:
                self._malformed(chunk[at], first + at, report)
            else:
                if event.__class__ is not Event:
                    report.malformed(_ODD, line=first + at, event=event)
                if event.stage in self._stages:
                    self._event(event, chunk[at], first + at, report)
            if report.is_full:
                return at + 1
        return len(events)

    def _event(self, event: Event, line: bytes, number: int, report: Report) -> None:
        try:
            gate, judged, followed = self._concerned(event)
            if not (gate.rules or judged or followed):
                return
            terms = Terms(event, line)
            if gate.rules:
                self._asker.ask(gate.passed(terms), terms, line=number, report=report)
            if judged:
                self.guardrails.judge(terms, line=number, report=report)
            if followed and self.guardrails.follow(terms, line=number, report=report):
                self._remembered.clear()
        except Exception as error:  # noqa: BLE001 - whatever it is, the daemon must go on
            reason = f"an event on which the engine failed: {type(error).__name__}"
            report.malformed(reason, line=number, event=event)

    def _concerned(self, event: Event) -> _Concerned:
        """What the event may concern. The hot path: one look into a dict."""
        user, ref, status = event.user, event.objectRef, event.responseStatus
        code = 0 if status is None else status.code
        dry_run = ("dryRun" in event.requestURI or bool(event.requestObject)) and is_dry_run(event)
        marks = self._marks.of(bytes(event.annotations))
        who = (user.username, user.groups, bytes(event.impersonatedUser))
        alike: tuple[Any, ...] = (
            (event.stage, event.verb, who, code, dry_run, marks)
            if ref is None
            else (
                event.stage, event.verb, who, code, dry_run, marks,
                ref.resource, ref.subresource, ref.namespace, ref.apiGroup, ref.apiVersion,
            )
        )  # fmt: skip
        found = self._remembered.get(alike)
        if found is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[alike] = self._search(event)
        return found

    def _search(self, event: Event) -> _Concerned:
        """What may concern this event and every other that is alike."""
        terms = Terms(event, b"")
        found = (self._asked[rule] for rule in self._index.search(terms.key))
        asked = tuple(one for one in found if one.may_concern(terms))
        judged, followed = self.guardrails.may_concern(terms), self.guardrails.may_change(terms)
        return _Concerned(self._gates.of(asked), judged, followed)

    def _malformed(self, line: bytes, number: int, report: Report) -> None:
        recovered = recover(line)
        reason = _JOINED if recovered else _NULS if b"\0" in line else _OTHER if line else _EMPTY
        report.malformed(reason, line=number, event=recovered[-1] if recovered else None)
        for event in recovered:
            self._event(event, line, number, report)
