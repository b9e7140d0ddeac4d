"""Retries: for ever, with growing jittered delays, and never past a conflict."""

from __future__ import annotations

import asyncio

import pytest

from shipper.errors import ConflictError, StoreError
from shipper.store.memory import MemoryStore
from shipper.store.retrying import Backoff, RetryingStore


class Flaky(MemoryStore):
    """Fails `failures` times; with `lies` it has stored the object all the same."""

    def __init__(self, failures: int, *, lies: bool = False) -> None:
        super().__init__()
        self.failures, self.lies, self.calls = failures, lies, 0

    def put(self, key: str, body: bytes) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            if self.lies:
                super().put(key, body)
            raise StoreError("503 SlowDown")
        super().put(key, body)


@pytest.mark.parametrize("lies", [False, True])
def test_a_put_is_repeated_until_it_succeeds(*, lies: bool) -> None:
    """Fifty failures in a row, with or without the object being there, end in one object."""
    store, told = Flaky(50, lies=lies), []
    backoff = Backoff(first=0.0001, limit=0.001)
    retrying = RetryingStore(store, backoff, failed=lambda error, delay: told.append(str(error)))
    asyncio.run(retrying.put("a", b"x"))
    assert store.objects == {"a": b"x"}
    assert told == ["503 SlowDown"] * 50


def test_a_conflict_is_final() -> None:
    """Other bytes under the key are raised at once."""
    store = MemoryStore()
    store.put("a", b"x")
    retrying = RetryingStore(store, Backoff(), failed=lambda error, delay: None)
    with pytest.raises(ConflictError):
        asyncio.run(retrying.put("a", b"y"))


def test_delays_double_up_to_their_limit() -> None:
    """Each delay is drawn from the upper half of a bound that doubles, is capped, and resets."""
    drawn: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    backoff = Backoff(first=1, limit=5, uniform=highest)
    assert [backoff.delay() for _ in range(5)] == [1, 2, 4, 5, 5]
    assert drawn[:3] == [(0.5, 1), (1, 2), (2, 4)]
    backoff.reset()
    assert backoff.delay() == 1
