"""A store that fetches, in threads, what it was told will be asked for next.

Wraps any store and changes no answer: what a fetch raises is raised where the object is asked for.
Refuses to run far ahead, so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from shipper.store.base import Check, Entry, Lock, Store, Stored

AHEAD = 8
"""Objects that are fetched before they are asked for: at most eight entry bundles, 16 MiB each."""

_THREADS = 4
"""Enough to hide a disk's latency, and most of an object store's."""


class ReadAhead:
    """`store`, with a plan. Use as a context: its threads end with it."""

    def __init__(self, store: Store) -> None:
        self.url = store.url
        self._store = store
        self._plan: Iterator[tuple[str, int]] = iter(())
        self._fetched: dict[str, Future[bytes]] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="read-ahead")

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def expect(self, plan: Iterable[tuple[str, int]]) -> None:
        """These objects (key, most bytes) will be asked for, about in this order."""
        self._plan = iter(plan)
        self._go_on()

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        fetched = None if version else self._fetched.pop(key, None)
        if fetched is None:
            return self._store.get(key, max_bytes=max_bytes, version=version)
        self._go_on()
        return fetched.result()

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        return self._store.put(key, body, sha256=sha256, again=again)

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        return self._store.scan(prefix, after=after)

    def last(self, prefix: str) -> Entry | None:
        return self._store.last(prefix)

    def children(self, prefix: str) -> list[str]:
        return self._store.children(prefix)

    def versions(self, key: str) -> Sequence[str]:
        return self._store.versions(key)

    def lock(self, key: str, version: str) -> Lock | None:
        return self._store.lock(key, version)

    def preflight(self) -> Iterator[Check]:
        return self._store.preflight()

    def _go_on(self) -> None:
        while len(self._fetched) < AHEAD:
            planned = next(self._plan, None)
            if planned is None:
                return
            key, max_bytes = planned
            self._fetched[key] = self._threads.submit(self._store.get, key, max_bytes=max_bytes)
