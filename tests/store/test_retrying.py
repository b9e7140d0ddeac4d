"""Retries: for ever, with growing jittered delays, and never past a conflict."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from shipper.backoff import Backoff
from shipper.errors import ConflictError, RefusedError, StoreError
from shipper.model import StoredObject
from shipper.store.base import Stored
from shipper.store.memory import MemoryStore
from shipper.store.retrying import RetryingStore

QUICK = partial(Backoff, first=0.0001, limit=0.001)


class Flaky(MemoryStore):
    """Fails `failures` times; with `lies` it has stored the object all the same."""

    def __init__(self, failures: int, *, lies: bool = False, refuses: bool = False) -> None:
        super().__init__()
        self.failures, self.lies = failures, lies
        self.error = RefusedError("AccessDenied") if refuses else StoreError("503 SlowDown")
        self.again: list[bool] = []

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        self.again.append(again)
        if len(self.again) <= self.failures:
            if self.lies:
                super().put(key, body)
            raise self.error
        return super().put(key, body)


@pytest.mark.parametrize("lies", [False, True])
def test_a_put_is_repeated_until_it_succeeds(*, lies: bool) -> None:
    """Fifty failures in a row, with or without the object being there, end in one object."""
    store, told = Flaky(50, lies=lies), []

    async def put() -> None:
        retrying = RetryingStore(
            store, backoff=QUICK, failed=lambda error, delay: told.append(str(error))
        )
        await retrying.put("a", StoredObject("a", b"x"))

    asyncio.run(put())
    assert store.objects == {"a": b"x"}
    assert told == ["503 SlowDown"] * 50


def test_a_repeated_put_says_so() -> None:
    """After a failure nobody knows whether the object is there: the store is told to look."""
    store = Flaky(2)

    async def put() -> None:
        retrying = RetryingStore(store, backoff=QUICK, failed=lambda error, delay: None)
        await retrying.put("a", StoredObject("a", b"x"))

    asyncio.run(put())
    assert store.again == [False, True, True]


def test_what_a_person_must_mend_is_asked_slowly() -> None:
    """A refusal has delays of its own, far longer than those of a failure."""
    delays: list[float] = []

    async def put() -> None:
        retrying = RetryingStore(
            Flaky(99, refuses=True), failed=lambda error, delay: delays.append(delay)
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await retrying.put("a", StoredObject("a", b"x"))

    asyncio.run(put())
    assert len(delays) == 1
    assert delays[0] >= 2.5


def test_a_conflict_is_final() -> None:
    """Other bytes under the key are raised at once."""
    store = MemoryStore()
    store.put("a", b"x")

    async def put() -> None:
        retrying = RetryingStore(store, failed=lambda error, delay: None)
        with pytest.raises(ConflictError):
            await retrying.put("a", StoredObject("a", b"y"))

    asyncio.run(put())


def test_a_store_that_is_back_is_used_at_once() -> None:
    """The first success after an outage wakes every put that waits for its next try."""
    store = Flaky(3)
    long = partial(Backoff, first=60, limit=60)

    async def put() -> None:
        retrying = RetryingStore(store, backoff=long, failed=lambda error, delay: None)
        waiting = [
            asyncio.create_task(retrying.put(name, StoredObject(name, b"x"))) for name in "abc"
        ]
        while len(store.again) < 3:  # noqa: ASYNC110 there is no event to wait for
            await asyncio.sleep(0.001)
        await retrying.put("d", StoredObject("d", b"x"))
        async with asyncio.timeout(5):
            await asyncio.gather(*waiting)

    asyncio.run(put())
    assert sorted(store.objects) == ["a", "b", "c", "d"]
