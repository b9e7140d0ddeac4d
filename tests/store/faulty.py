"""A store that fails on purpose at one chosen call, and one that keeps versions as S3 does."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeVar

from shipper.errors import StoreError
from shipper.store.base import Check, Entry, Lock, Store, Stored
from shipper.store.memory import MemoryStore
from tests.faults import Crash, FaultyDisk

StoreFault = Literal["not-done", "reported-failed", "before", "after"]

T = TypeVar("T")


class FaultyStore:
    """The store inside, save for one call, which meets `fault`: number `at` (from 0), or the first
    of that name.

    not-done          the call fails and has not happened; the process lives
    reported-failed   the call fails although it has happened
    before, after     the process stops before or after the call: `disk` takes nothing more
    """

    def __init__(self, inside: Store, at: int | str, fault: StoreFault, disk: FaultyDisk) -> None:
        self.url = inside.url
        self.parallel = inside.parallel
        self.reached = False
        self._inside = inside
        self._at = at
        self._calls = 0
        self._fault = fault
        self._disk = disk
        self._counting = threading.Lock()

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        kind = key.split("/")[3]
        return self._step(
            f"put {kind}", lambda: self._inside.put(key, body, sha256=sha256, again=again)
        )

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        return self._step(
            "get", lambda: self._inside.get(key, max_bytes=max_bytes, version=version)
        )

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        return iter(self._step("scan", lambda: list(self._inside.scan(prefix, after=after))))

    def last(self, prefix: str) -> Entry | None:
        return self._step("last", lambda: self._inside.last(prefix))

    def children(self, prefix: str) -> list[str]:
        return self._step("children", lambda: self._inside.children(prefix))

    def versions(self, key: str) -> Sequence[str]:
        return self._step("versions", lambda: self._inside.versions(key))

    def lock(self, key: str, version: str) -> Lock | None:
        return self._step("lock", lambda: self._inside.lock(key, version))

    def preflight(self) -> Iterator[Check]:
        return iter(self._step("preflight", lambda: list(self._inside.preflight())))

    def _step(self, name: str, real: Callable[[], T]) -> T:
        with self._counting:
            if self._disk.dead:
                raise Crash
            chosen = not self.reached and self._at in (self._calls, name)
            self.reached = self.reached or chosen
            self._calls += 1
        if not chosen:
            return real()
        if self._fault in ("reported-failed", "after"):
            real()
        if self._fault in ("before", "after"):
            self._disk.dead = True
            raise Crash
        raise StoreError(f"{name} was told to fail")


class VersionedStore(MemoryStore):
    """Keeps a version for every upload, as a service does that does not know `If-None-Match`."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Counter[str] = Counter()

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        if not again or key not in self.objects:
            self.written[key] += 1
        return super().put(key, body)
