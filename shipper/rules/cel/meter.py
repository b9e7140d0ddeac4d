"""What an evaluation has cost so far, and the end of it when it costs too much.

Counts steps, not time: the same expression on the same data ends the same way on every machine. A
step is some 10 ns at the worst. Not for several threads at a time; program.py sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

COST_LIMIT = 1 << 27
"""Steps that one evaluation may take."""

LIST_STEPS = 128
"""For each element that a growing list already has: the engine copies it at every addition."""

GROWTH_STEPS = 4
"""For each byte that a value made by the expression may have."""

GROWN = "@grown"
"""The root, beside the variables, of all that the expression itself has made so far."""

_FREE_BYTES = 1 << 16

CALL = "@call"
"""And the one that each call of a function in Python reads."""

_CALL_STEPS = 150

Reads: TypeAlias = tuple[tuple[str, float], ...]
"""Roots that are read from end to end, and how often."""


class Loop(NamedTuple):
    """What one round of a loop may cost, beside the copy of the list that it makes longer."""

    reads: Reads
    """Of what is not the round's own element."""
    weight: float
    """A round adds at most so many times `sources` to the result."""
    sources: tuple[str, ...]
    literal: float
    """And so many bytes of the expression's own texts."""


@dataclass(frozen=True)
class Bill:
    """What an expression may cost, apart from the rounds of its loops."""

    reads: Reads
    weight: float
    """No value within it is larger than so many times all variables together,"""
    literal: float
    """and so many bytes of the expression's own texts."""
    loops: tuple[Loop, ...]

    @property
    def is_free(self) -> bool:
        """Whether no event can make it cost more than its own text does."""
        return not (self.reads or self.weight or self.loops or self.literal > _FREE_BYTES)

    @cached_property
    def growth_steps(self) -> float:
        """For each byte that the expression makes: to make it, and to read it later."""
        return GROWTH_STEPS + dict(self.reads).get(GROWN, 0)

    @cached_property
    def rounds_read_grown(self) -> bool:
        """Whether rounds cost more as the expression makes more."""
        return any(root == GROWN for loop in self.loops for root, _ in loop.reads)


class CostError(ValueError):
    """The evaluation has cost too much."""


class Meter:
    """Of the evaluation that is under way."""

    def __init__(self) -> None:
        self.exhausted = False
        self.spent = 0.0
        """Steps so far."""
        self._bill = Bill((), 0.0, 0.0, ())
        self._rounds: list[float] = []
        self._sizes: dict[str, float] = {}

    def start(self, bill: Bill, sizes: Mapping[str, int]) -> bool:
        """Begin anew with what the expression costs at least. False if that is too much already."""
        self._sizes = {**sizes, GROWN: 0.0, CALL: _CALL_STEPS}
        self._bill = bill
        if bill.loops:
            self._price_rounds()
        self.spent = 0.0
        self.exhausted = False
        largest = bill.literal
        if bill.weight:
            largest += bill.weight * sum(sizes.values())
        return self._pay(self._reading(bill.reads) + GROWTH_STEPS * largest)

    def round(self, loop: int) -> bool:
        """Before a round of a loop that builds nothing. False ends the loop."""
        return self._pay(self._rounds[loop])

    def building_round(self, loop: int, length: int) -> bool:
        """Before a round of a loop whose result has `length` elements. False ends the loop."""
        bill = self._bill.loops[loop]
        added = bill.literal
        if bill.weight:
            added += bill.weight * sum(self._sizes.get(root, 0) for root in bill.sources)
            self._grow(added)
        return self._pay(self._rounds[loop] + LIST_STEPS * length + self._bill.growth_steps * added)

    def spend(self, steps: float) -> None:
        """Raises CostError if that was too much."""
        if not self._pay(steps):
            raise CostError("cost limit")

    def grow(self, size: float) -> None:
        """A value of `size` bytes is about to be made. Raises CostError if that is too much."""
        self._grow(size)
        self.spend(self._bill.growth_steps * size)

    def _grow(self, size: float) -> None:
        self._sizes[GROWN] += size
        if self._bill.rounds_read_grown:
            self._price_rounds()

    def _price_rounds(self) -> None:
        self._rounds = [1 + self._reading(loop.reads) for loop in self._bill.loops]

    def _pay(self, steps: float) -> bool:
        self.spent += steps
        if self.spent > COST_LIMIT:
            self.exhausted = True
        return not self.exhausted

    def _reading(self, reads: Reads) -> float:
        steps = 0.0
        for root, times in reads:
            steps += times * self._sizes.get(root, 0)
        return steps


METER = Meter()
"""The one there is: the engine evaluates one expression at a time."""
