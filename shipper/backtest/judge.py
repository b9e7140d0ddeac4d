"""A process of its own that asks rules about batches, in their order: thresholds count across them.

Believes what it is given: whoever hands a batch over has verified it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Self

from shipper.backtest.tally import Place, Tally
from shipper.model import Data, Finding
from shipper.rules.engine import Engine
from shipper.rules.ruleset import RuleSet
from shipper.verify.frame import unpack

WAITING = 16
"""Batches handed over and not judged yet; most are some 0.5 MiB, compressed."""

MakeRules = Callable[[], RuleSet]


class Judge:
    """Use as a context: on leaving, everything is judged and in `tally`."""

    def __init__(self, make_rules: MakeRules, tally: Tally) -> None:
        """`make_rules` is called in the process, and must pickle."""
        self._tally = tally
        self._waiting: deque[tuple[Place, Data, Future[list[Finding]]]] = deque()
        self._process = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_begin, initargs=(make_rules,)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            while error is None and self._waiting:
                self._collect()
        finally:
            self._process.shutdown(cancel_futures=True)

    def judge(self, place: Place, body: bytes, data: Data) -> None:
        """Hand over a verified batch; waits while too many wait."""
        while len(self._waiting) >= WAITING:
            self._collect()
        self._waiting.append((place, data, self._process.submit(_judge, place.log, body, data)))

    def _collect(self) -> None:
        place, data, judged = self._waiting.popleft()
        self._tally.add(place, judged.result(), lines=data.lines, raw_bytes=data.raw_size)


class _Court:
    """What the process holds: the rules, and an engine for each log, whose thresholds count."""

    rules: RuleSet
    engines: dict[str, Engine]


def _begin(make_rules: MakeRules) -> None:
    _Court.rules, _Court.engines = make_rules(), {}


def _judge(log: str, body: bytes, data: Data) -> list[Finding]:
    engine = _Court.engines.get(log)
    if engine is None:
        engine = _Court.engines[log] = Engine(_Court.rules)
    raw = b"".join(unpack(body, data.raw_size))
    return engine.evaluate(raw.removesuffix(b"\n").split(b"\n"))
