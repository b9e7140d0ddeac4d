"""A wrapper that puts into a store until it works: for ever, with jittered exponential backoff.

Wraps any store; knows nothing of networks or files. Only `ConflictError` is final.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from shipper.errors import ConflictError, StoreError
from shipper.store.base import Store

FIRST_DELAY_SECONDS = 0.1
MAX_DELAY_SECONDS = 30.0


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


class RetryingStore:
    """Puts that do not give up."""

    def __init__(
        self, store: Store, backoff: Backoff, *, failed: Callable[[StoreError, float], None]
    ) -> None:
        """`failed` is told of each failure and of the delay (seconds) before the next try."""
        self._store = store
        self._backoff = backoff
        self._failed = failed

    async def put(self, key: str, body: bytes) -> None:
        """As `Store.put`, but returns only once the object is stored. `ConflictError` is raised."""
        while True:
            try:
                await asyncio.to_thread(self._store.put, key, body)
            except ConflictError:
                raise
            except StoreError as error:
                delay = self._backoff.delay()
                self._failed(error, delay)
                await asyncio.sleep(delay)
            else:
                self._backoff.reset()
                return
