"""A store that fetches, in threads, what it was told will be asked for next.

Wraps any store and changes no answer: what a fetch raises is raised where the object is asked for.
Refuses to run far ahead, so that memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType

from shipper.errors import FormatError, StoreError
from shipper.store.base import Check, Entry, Lock, Store, Stored

AHEAD_BYTES = 64 * 1024 * 1024
"""The most that is held before it is asked for, but for one object."""

_OUT_OF_ORDER = 4
"""By how many places the plan may differ from what is asked; what is passed by more is dropped."""


class ReadAhead:
    """`store`, with a plan. Use as a context: its threads end with it."""

    def __init__(self, store: Store) -> None:
        self.url = store.url
        self.parallel = store.parallel
        self._store = store
        self._plan: Iterator[tuple[str, int]] = iter(())
        self._fetched: dict[str, tuple[Future[bytes], int]] = {}
        self._bytes = 0
        self._most = 2 * max(_OUT_OF_ORDER, store.parallel)
        self._threads = ThreadPoolExecutor(store.parallel, thread_name_prefix="read-ahead")

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
        fetched = None if version else self._take(key)
        if fetched is None:
            return self._store.get(key, max_bytes=max_bytes, version=version)
        self._go_on()
        body = fetched.result()
        if len(body) > max_bytes:
            raise FormatError(f"{key} has {len(body)} bytes, more than {max_bytes}")
        return body

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

    def _take(self, key: str) -> Future[bytes] | None:
        if key not in self._fetched:
            return None
        order = list(self._fetched)
        for passed in order[: max(0, order.index(key) - _OUT_OF_ORDER)]:
            self._forget(passed).cancel()
        return self._forget(key)

    def _forget(self, key: str) -> Future[bytes]:
        future, size = self._fetched.pop(key)
        self._bytes -= size
        return future

    def _go_on(self) -> None:
        while len(self._fetched) < self._most and self._bytes < AHEAD_BYTES:
            planned = None
            with suppress(StoreError):  # it is raised where the walk itself lists
                planned = next(self._plan, None)
            if planned is None:
                return
            key, max_bytes = planned
            if key in self._fetched:
                continue
            fetch = self._threads.submit(self._store.get, key, max_bytes=max_bytes)
            self._fetched[key] = fetch, max_bytes
            self._bytes += max_bytes
