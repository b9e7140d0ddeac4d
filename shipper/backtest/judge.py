"""Processes of their own that hold court over batches, while the caller reads and verifies more.

Bounded: so many batches wait and no more. Believes what it is given.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

from shipper.audit.lines import LineBuffer
from shipper.backtest.chronicle import Noted
from shipper.backtest.court import Court
from shipper.backtest.result import Result
from shipper.backtest.tally import Place
from shipper.errors import ShipperError
from shipper.model import Data
from shipper.rules.ruleset import RuleSet
from shipper.verify.frame import unpack
from shipper.verify.request import Window

WAITING = 8
"""Batches of each process that are handed over and not judged yet; most are some 0.5 MiB,
compressed, and those of a plain file 1 MiB."""

PROCESSES = 2
"""At most, and one for each core: each holds the rules, some 80 MiB with the catalog."""

T = TypeVar("T")
MakeRules = Callable[[], Sequence[RuleSet]]


class Judge:
    """Use as a context: on leaving without an error, everything is judged and in `result`."""

    def __init__(
        self,
        make_rules: MakeRules,
        sets: Sequence[RuleSet],
        window: Window,
        *,
        chronicle: Sequence[Noted] | None = None,
    ) -> None:
        """`make_rules` makes `sets` again in each process, and must pickle."""
        self.result = Result(len(sets))
        self._follows = chronicle is None and any(one.replayed for one in sets)
        self._in_order = any(one.replayed or any(r.window for r in one.rules) for one in sets)
        self._courts = [
            _Process(make_rules, window, chronicle)
            for _ in range(min(PROCESSES, os.cpu_count() or 1))
        ]
        self._logs: dict[str, _Process] = {}
        self._batches = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                for court in filter(lambda court: court.used, self._courts):
                    self.result.merge(court.finish())
        finally:
            for court in self._courts:
                court.end()

    def judge(self, place: Place, body: bytes, data: Data) -> None:
        """Hand over a verified batch; waits while too many wait."""
        self._court(place.log).submit(_judge, self._ordered(place), body, data)

    def judge_lines(self, place: Place, lines: Sequence[bytes], first_line: int) -> None:
        """Hand over lines that nobody has verified; waits while too many wait."""
        self._court(place.log).submit(_judge_lines, self._ordered(place), lines, first_line)

    def _ordered(self, place: Place) -> Place:
        self._batches += 1
        return place._replace(order=self._batches)

    def _court(self, log: str) -> _Process:
        """Whose turn it is: where a rule counts across batches, those of a log stay together.

        Else the first that has room: what one process can judge costs no second one its start.
        """
        if self._follows:  # one log after the other, and the policies with them
            return self._courts[0]
        if not self._in_order:
            return next((one for one in self._courts if one.has_room), self._courts[0])
        court = self._logs.get(log)
        if court is None:
            court = self._logs[log] = self._courts[len(self._logs) % len(self._courts)]
        return court


class _Process:
    """One process, started when it is first given something."""

    def __init__(
        self, make_rules: MakeRules, window: Window, chronicle: Sequence[Noted] | None
    ) -> None:
        self.used = False
        self._waiting: deque[Future[None]] = deque()
        self._pool = ProcessPoolExecutor(
            1,
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(make_rules, window, chronicle),
        )

    @property
    def has_room(self) -> bool:
        """Whether `submit` would not wait."""
        while self._waiting and self._waiting[0].done():
            _done(self._waiting.popleft())
        return len(self._waiting) < WAITING

    def submit(self, job: Callable[..., None], *arguments: object) -> None:
        self.used = True
        while len(self._waiting) >= WAITING:
            _done(self._waiting.popleft())
        self._waiting.append(self._begun(job, *arguments))

    def finish(self) -> Result:
        while self._waiting:
            _done(self._waiting.popleft())
        return _done(self._begun(_finish))

    def _begun(self, job: Callable[..., T], *arguments: object) -> Future[T]:
        try:
            return self._pool.submit(job, *arguments)
        except BrokenExecutor as error:
            raise _dead() from error

    def end(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def _done(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise _dead() from error


def _dead() -> ShipperError:
    return ShipperError(
        "a judging process has died, and nothing can be said",
        remedy="see why it was ended, by whom or for want of memory, and try again",
    )


class _Held:
    """What a process holds."""

    court: Court


def _begin(make_rules: MakeRules, window: Window, chronicle: Sequence[Noted] | None = None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends a process without a traceback
    _Held.court = Court(make_rules(), window, chronicle)


def _judge(place: Place, body: bytes, data: Data) -> None:
    lines, number = LineBuffer(), 0
    for piece in unpack(body, data.raw_size):
        if whole := lines.feed(piece):
            number += _judge_whole(place, whole, number)
    if len(lines):
        _Held.court.judge(place, [lines.take()], first_line=number)
    _Held.court.result.batches += 1


def _judge_whole(place: Place, whole: bytes, first_line: int) -> int:
    """Judge lines that have their ends; how many they are."""
    lines = whole.removesuffix(b"\n").split(b"\n")
    _Held.court.judge(place, lines, first_line=first_line)
    return len(lines)


def _judge_lines(place: Place, lines: Sequence[bytes], first_line: int) -> None:
    _Held.court.judge(place, lines, first_line=first_line)
    _Held.court.result.batches += 1


def _finish() -> Result:
    return _Held.court.result
