"""Goes through batches of history and counts what each set of rules says of them.

Believes what it is given: whoever hands a batch over has verified it, or says that nobody has. A
log's batches must come in their order where rules count across them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from shipper.backtest.asking import Asking
from shipper.backtest.hearing import Hearing
from shipper.backtest.refused import refused_by
from shipper.backtest.result import Result
from shipper.backtest.tally import AUDIT_RULE, Place, Tally
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.engine import Engine
from shipper.rules.event import Event, ObjectRef
from shipper.rules.ruleset import RuleSet
from shipper.rules.terms import CONNECTED, OPERATIONS, Terms
from shipper.verify.request import Window


class Court:
    """One or two sets of rules at work; `result` is what they have said so far.

    Events outside `window` count in nothing but what thresholds count.
    """

    def __init__(self, sets: Sequence[RuleSet], window: Window) -> None:
        self.result = Result(len(sets))
        self._window = window
        self._sides = [_Side(*pair) for pair in zip(sets, self.result.tallies, strict=True)]

    def judge(self, place: Place, lines: Sequence[bytes], *, first_line: int = 0) -> None:
        """Hear every set about a batch or a part of it; `first_line`: its first line's number."""
        session = _Session(self._sides, self.result, self._window, place, first_line)
        for side, hearing in zip(self._sides, session.hearings, strict=True):
            began, of_policies = time.thread_time_ns(), session.nanoseconds
            side.engine(place.log).evaluate(
                lines,
                first_line=first_line,
                seen=session.seen if side is self._sides[0] else None,
                report=hearing,
            )
            spent = time.thread_time_ns() - began - (session.nanoseconds - of_policies)
            side.tally.cost(AUDIT_RULE).add(spent, len(lines))
        self.result.read(lines=len(lines), raw_bytes=sum(map(len, lines)) + len(lines))
        if self.result.comparison is not None:
            self.result.comparison.add(place, *(hearing.said for hearing in session.hearings))


class _Side:
    """One set: an engine for each log, whose thresholds count, and its policies."""

    def __init__(self, rules: RuleSet, tally: Tally) -> None:
        self.rules = rules.with_policies(PolicySet())
        self.tally = tally
        self.policies = Asking(rules, tally)
        self._engines: dict[str, Engine] = {}

    def engine(self, log: str) -> Engine:
        """The log's, for AuditRules alone."""
        engine = self._engines.get(log)
        if engine is None:
            engine = self._engines[log] = Engine(self.rules)
        return engine


class _Session:
    """One batch: its events go to the policies of all sets as they are decoded."""

    def __init__(
        self, sides: Sequence[_Side], result: Result, window: Window, place: Place, line: int
    ) -> None:
        self.hearings = [
            Hearing(side.rules.malformed, side.tally, place, self._asked) for side in sides
        ]
        self.nanoseconds = 0
        self._sides = sides
        self._result = result
        self._window = window
        self._is_open = window == Window()
        self._line = line

    def seen(self, events: Sequence[Event | None]) -> None:
        """The next lines' events, None for a line that is none."""
        began = time.thread_time_ns()
        times = []
        for number, event in enumerate(events, self._line):
            if event is not None and (self._is_open or self._asked(event)):
                times.append(event.stageTimestamp)
                if event.objectRef is not None:
                    self._see(event, event.objectRef, number)
        if times:
            self._result.reach(min(times), max(times))
        self._line += len(events)
        self.nanoseconds += time.thread_time_ns() - began

    def _asked(self, event: Event) -> bool:
        return self._window.holds(event.stageTimestamp)

    def _see(self, event: Event, ref: ObjectRef, number: int) -> None:
        """The hot path: most events are reads, or no policy speaks of what they write."""
        if not (event.verb in OPERATIONS or ref.subresource in CONNECTED):
            return
        if event.responseStatus is not None and event.responseStatus.code >= 400:
            name = refused_by(event)
            if name:
                self._result.refuse(name)
            return
        terms = Terms(event, b"")
        for side, hearing in zip(self._sides, self.hearings, strict=True):
            side.policies.ask(terms, line=number, to=hearing)
