"""Reading an archive from a store that fails now and then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shipper.errors import NotFoundError, RefusedError, StoreError
from shipper.store.base import Entry
from shipper.store.memory import MemoryStore
from shipper.store.patient import TRIES, PatientStore
from tests.verify.stores import Wrapped


class Flaky(Wrapped):
    """Fails `failures` times, then answers; listings break off in their middle."""

    def __init__(self, failures: int, error: StoreError | None = None) -> None:
        store = MemoryStore()
        for number in range(6):
            store.put(f"a/{number}", b"body")
        super().__init__(store)
        self.failures = failures
        self.error = error or StoreError("SlowDown")

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        self._fail()
        return super().get(key, max_bytes=max_bytes, version=version)

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        for number, entry in enumerate(super().scan(prefix, after=after)):
            if number == 2:
                self._fail()
            yield entry

    def _fail(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise self.error


def patient(store: Flaky) -> tuple[PatientStore, list[float]]:
    pauses: list[float] = []
    return PatientStore(store, sleep=pauses.append), pauses


def test_a_passing_failure_is_asked_again() -> None:
    """With growing pauses, and the answer is the store's."""
    store, pauses = patient(Flaky(TRIES - 1))
    assert store.get("a/1", max_bytes=9) == b"body"
    assert len(pauses) == TRIES - 1
    assert pauses[-1] > pauses[0]


def test_a_store_that_is_away_is_said() -> None:
    """After some tries its own error goes up."""
    store, pauses = patient(Flaky(TRIES))
    with pytest.raises(StoreError, match="SlowDown"):
        store.get("a/1", max_bytes=9)
    assert len(pauses) == TRIES - 1


@pytest.mark.parametrize("error", [NotFoundError("gone"), RefusedError("AccessDenied")])
def test_an_answer_is_taken_at_once(error: StoreError) -> None:
    """What asking again does not mend is raised without a pause."""
    store, pauses = patient(Flaky(1, error))
    with pytest.raises(type(error)):
        store.get("a/1", max_bytes=9)
    assert pauses == []


def test_a_listing_goes_on_where_it_broke_off() -> None:
    """Every key once, in order, however often it breaks off between them."""
    store, pauses = patient(Flaky(2))
    assert [entry.key for entry in store.scan("a/")] == [f"a/{number}" for number in range(6)]
    assert len(pauses) == 2
