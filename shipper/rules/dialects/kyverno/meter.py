"""How much work one question may cost; counted, never timed, so that an answer is repeatable.

A policy's text and an object's values are both hostile: what they multiply to is bounded here.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from shipper.rules.dialects.kyverno.errors import too_much

MAX_STEPS = 200_000
"""About a tenth of a second; the dearest policy of the public library takes under 2,000."""

MAX_CHARS = 4_000_000
"""Text that functions may build, all together."""


MAX_PAIRS = 1_000_000


def paired(one: Sized, other: Sized) -> None:
    """To be told before each of one is held against each of the other. Raises UndecidedError."""
    if len(one) * len(other) > MAX_PAIRS:
        raise too_much("more pairs than one question may compare")


class Meter:
    """What is left of one question's allowance."""

    __slots__ = ("_chars", "_steps")

    def __init__(self) -> None:
        self._steps = MAX_STEPS
        self._chars = MAX_CHARS

    def step(self, count: int = 1) -> None:
        """Raises UndecidedError once the steps are spent."""
        self._steps -= count
        if self._steps < 0:
            raise too_much("more steps than one question may take")

    def grow(self, chars: int) -> None:
        """To be told before text is built. Raises UndecidedError."""
        self._chars -= chars
        if self._chars < 0:
            raise too_much("more text than one question may build")

    def walk(self, value: Any) -> None:
        """To be told before all of a value is looked at: what stands in several places counts
        in each. Raises UndecidedError.
        """
        pending = [value]
        while pending:
            item = pending.pop()
            if isinstance(item, str):
                self.grow(len(item))
            elif isinstance(item, dict | list):
                self.step(1 + len(item))
                pending += item.values() if isinstance(item, dict) else item
