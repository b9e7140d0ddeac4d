"""A wrapper that asks a store until it answers: for ever, with jittered exponential backoff.

Wraps any store; knows nothing of networks or files. Only `ConflictError` is final. What a person
must mend is asked again more slowly. The first success after a while wakes all who wait: a store
that is back is used at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from shipper.backoff import Backoff, refused_backoff
from shipper.errors import ConflictError, RefusedError, StoreError
from shipper.model import StoredObject
from shipper.store.attempts import Attempts
from shipper.store.base import Store, Stored
from shipper.store.slots import Slots

DEADLINE_SECONDS = 30.0
OUTAGE_SECONDS = 1.0
"""After this long without a success, the next one says that the store is back."""

SLOWEST_BYTES_PER_SECOND = 32 * 1024
"""A put is given up after the deadline and the time that its bytes take on a very slow line."""

T = TypeVar("T")


class RetryingStore:
    """Calls that do not give up. For one event loop."""

    def __init__(
        self,
        store: Store,
        *,
        failed: Callable[[StoreError, float], None],
        answered: Callable[[], None] = lambda: None,
        backoff: Callable[[], Backoff] = Backoff,
        refused: Callable[[], Backoff] = refused_backoff,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """`failed` is told of each failure and of the delay (seconds) before the next try,
        `answered` of each success."""
        self._store = store
        self._failed = failed
        self._answered = answered
        self._backoff = backoff
        self._refused = refused
        self._deadline_seconds = deadline_seconds
        self._slots = Slots()
        self._attempts = Attempts()
        self._back = asyncio.Event()
        self._succeeded_at = 0.0

    async def put(self, key: str, stored: StoredObject, *, again: bool = False) -> Stored:
        """As `Store.put`, but returns only once the object is stored. `ConflictError` is raised.

        `key` is the store's; `again` as for `Store.put`.
        """
        put = partial(self._store.put, key, stored.body, sha256=stored.sha256)
        allowed = self._deadline_seconds + len(stored.body) / SLOWEST_BYTES_PER_SECOND
        return await self._until_done(
            partial(put, again=again), partial(put, again=True), within_seconds=allowed
        )

    async def ask(self, question: Callable[[], T]) -> T:
        """What `question`, a call that changes nothing, returns in the end."""
        return await self._until_done(question, question, within_seconds=10 * DEADLINE_SECONDS)

    async def _until_done(
        self, first: Callable[[], T], after: Callable[[], T], *, within_seconds: float
    ) -> T:
        backoff, refused, call = self._backoff(), self._refused(), first
        while True:
            try:
                async with self._slots:
                    result = await self._attempts.run(call, within_seconds=within_seconds)
            except ConflictError:
                raise
            except StoreError as error:
                is_refused = isinstance(error, RefusedError)
                delay = (refused if is_refused else backoff).delay()
                self._slots.failed()
                self._failed(error, delay)
            else:
                self._slots.went_well()
                self._succeeded()
                return result
            call = after
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._back.wait()

    def _succeeded(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._succeeded_at > OUTAGE_SECONDS:
            self._back.set()
            self._back = asyncio.Event()
        self._succeeded_at = now
        self._answered()
