"""How long to wait before a call is repeated: exponential backoff with jitter. Never sleeps."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 30.0
REFUSED_FIRST_SECONDS = 5.0
REFUSED_MAX_SECONDS = 60.0


class Backoff:
    """Delays that double up to a limit, each drawn at random from its upper half.

    https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    def __init__(
        self,
        *,
        first: float = FIRST_DELAY_SECONDS,
        limit: float = MAX_DELAY_SECONDS,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first, self._limit, self._uniform = first, limit, uniform
        self._next = first

    def delay(self) -> float:
        """The next delay in seconds."""
        current = self._next
        self._next = min(self._limit, current * 2)
        return self._uniform(current / 2, current)

    def reset(self) -> None:
        """Begin again with the first delay."""
        self._next = self._first


def refused_backoff() -> Backoff:
    """For what will not get better by itself."""
    return Backoff(first=REFUSED_FIRST_SECONDS, limit=REFUSED_MAX_SECONDS)
