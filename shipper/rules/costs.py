"""What each rule costs, from samples: a look at the clock at each event would cost more than they.

Counts and multiplies; reads no clock of its own and knows no event.
"""

from __future__ import annotations

from collections.abc import Callable

EVERY = 101
"""One event in so many of those that any rule is asked about; a prime, so that what comes in turns
is met in turns."""


class Costs:
    """CPU by rule, as far as it is the rule's own: its filters, what it wants bound, its
    expressions, its message. Decoding, and what is asked for all rules at once, is nobody's."""

    def __init__(self, clock: Callable[[], float], *, every: int = EVERY) -> None:
        """`clock` gives seconds of CPU of the thread that asks."""
        self.clock = clock
        self.every = every
        self.seconds: dict[str, float] = {}
        """By the rule's name, estimated for all events."""

    def add(self, rule: str, seconds: float) -> None:
        """The rule has taken so long for an event that stands for `every` of them."""
        self.seconds[rule] = self.seconds.get(rule, 0.0) + seconds * self.every
