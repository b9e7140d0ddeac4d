"""Reading ahead changes no answer, whatever was planned and whatever is asked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from shipper.errors import FormatError, NotFoundError, StoreError
from shipper.store.memory import MemoryStore
from shipper.verify.ahead import AHEAD_BYTES, ReadAhead
from tests.verify.stores import Failing, Wrapped


class Counting(Wrapped):
    """Remembers what was asked of it."""

    def __init__(self, inside: MemoryStore) -> None:
        super().__init__(inside)
        self.asked: list[str] = []
        self._lock = threading.Lock()

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        with self._lock:
            self.asked.append(key)
        return super().get(key, max_bytes=max_bytes, version=version)


def full(count: int) -> MemoryStore:
    """A store of small objects."""
    store = MemoryStore()
    for number in range(count):
        store.put(f"{number:03d}", str(number).encode())
    return store


def plan(count: int) -> list[tuple[str, int]]:
    """All of them, in order."""
    return [(f"{number:03d}", 9) for number in range(count)]


def test_planned_objects_are_fetched_once() -> None:
    """Each is there when it is asked for, and the store was asked once."""
    store = Counting(full(40))
    with ReadAhead(store) as ahead:
        ahead.expect(plan(40))
        for number in range(40):
            assert ahead.get(f"{number:03d}", max_bytes=9) == str(number).encode()
    assert sorted(store.asked) == [key for key, _ in plan(40)]


def test_it_does_not_run_far_ahead() -> None:
    """What nobody has asked for yet is bounded, in number and in bytes."""
    store = Counting(full(40))
    with ReadAhead(store) as ahead:
        ahead.expect(plan(40))
    assert len(store.asked) <= 8
    store = Counting(full(40))
    with ReadAhead(store) as ahead:
        ahead.expect((f"{number:03d}", AHEAD_BYTES // 2) for number in range(40))
    assert len(store.asked) <= 2


def test_what_is_never_asked_for_does_not_stall_it() -> None:
    """Planned objects that the walk passes over make room for those behind them."""
    store = Counting(full(60))
    with ReadAhead(store) as ahead:
        ahead.expect(plan(60))
        for number in range(1, 60, 2):
            assert ahead.get(f"{number:03d}", max_bytes=9) == str(number).encode()
    assert max(Counter(store.asked).values()) == 1


def test_a_plan_that_fails_ends_there() -> None:
    """Where the plan's own listing fails, objects are read as ever."""

    def failing() -> Iterator[tuple[str, int]]:
        yield "000", 9
        raise StoreError("the network is down")

    with ReadAhead(full(2)) as ahead:
        ahead.expect(failing())
        assert [ahead.get(key, max_bytes=9) for key in ("000", "001")] == [b"0", b"1"]


def test_an_object_longer_than_asked_for_is_refused() -> None:
    """Though the plan allowed more."""
    with ReadAhead(full(12)) as ahead:
        ahead.expect([("010", 9)])
        with pytest.raises(FormatError, match="010 has 2 bytes"):
            ahead.get("010", max_bytes=1)


def test_what_was_not_planned_is_read_as_ever() -> None:
    """Listings and other objects come from the store itself."""
    with ReadAhead(full(3)) as ahead:
        ahead.expect(plan(1))
        assert ahead.get("002", max_bytes=9) == b"2"
        assert [entry.key for entry in ahead.scan("")] == ["000", "001", "002"]
        ahead.put("a/b", b"")
        assert ahead.children("") == ["a"]
        assert ahead.last("") is not None


@pytest.mark.parametrize(("key", "error"), [("xxx", NotFoundError), ("001", StoreError)])
def test_a_failed_fetch_is_raised_where_it_is_asked_for(key: str, error: type[Exception]) -> None:
    """Neither earlier nor later, and the others are not touched by it."""
    with ReadAhead(Failing(full(3), "001")) as ahead:
        ahead.expect([("000", 9), (key, 9), ("002", 9)])
        assert ahead.get("000", max_bytes=9) == b"0"
        with pytest.raises(error):
            ahead.get(key, max_bytes=9)
        assert ahead.get("002", max_bytes=9) == b"2"
