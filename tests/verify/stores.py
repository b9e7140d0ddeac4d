"""Stores that misbehave, behind the real protocol."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from shipper.errors import NotFoundError, StoreError
from shipper.store.base import Check, Entry, Lock, Store, Stored
from shipper.store.directory import DirectoryStore
from tests.verify.archive import Log


class Wrapped:
    """A store that does what the one inside does."""

    def __init__(self, inside: Store) -> None:
        self.url = inside.url
        self.parallel = inside.parallel
        self.inside = inside

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        return self.inside.put(key, body, sha256=sha256, again=again)

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        return self.inside.get(key, max_bytes=max_bytes, version=version)

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        return self.inside.scan(prefix, after=after)

    def last(self, prefix: str) -> Entry | None:
        return self.inside.last(prefix)

    def children(self, prefix: str) -> list[str]:
        return self.inside.children(prefix)

    def versions(self, key: str) -> Sequence[str]:
        return self.inside.versions(key)

    def lock(self, key: str, version: str) -> Lock | None:
        return self.inside.lock(key, version)

    def preflight(self) -> Iterator[Check]:
        return self.inside.preflight()


class Failing(Wrapped):
    """Fails on every key and prefix that holds `on`."""

    def __init__(self, inside: Store, on: str) -> None:
        super().__init__(inside)
        self._on = on

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        self._fail(key)
        return super().get(key, max_bytes=max_bytes, version=version)

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        self._fail(prefix)
        return super().scan(prefix, after=after)

    def children(self, prefix: str) -> list[str]:
        self._fail(prefix)
        return super().children(prefix)

    def _fail(self, key: str) -> None:
        if self._on in key:
            raise StoreError(f"{key} could not be read: the network is down")


class Broken(Wrapped):
    """Has a bug, on keys that hold `on`."""

    def __init__(self, inside: Store, on: str) -> None:
        super().__init__(inside)
        self._on = on

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        if self._on in key:
            raise RecursionError("maximum recursion depth exceeded")
        return super().get(key, max_bytes=max_bytes, version=version)


class Vanishing(Wrapped):
    """Lists keys that hold `what`, and then has not got them."""

    def __init__(self, inside: Store, what: str) -> None:
        super().__init__(inside)
        self._what = what

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        if self._what in key:
            raise NotFoundError(f"there is no {key}")
        return super().get(key, max_bytes=max_bytes, version=version)


class Growing(Wrapped):
    """The daemon ships while the archive is read: before each call `batches` more are sealed."""

    def __init__(self, log: Log, calls: int) -> None:
        super().__init__(log.store)
        self._log = log
        self._calls = calls
        self._lock = threading.Lock()

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        listed = list(super().scan(prefix, after=after))
        self._grow()
        return iter(listed)

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        body = super().get(key, max_bytes=max_bytes, version=version)
        self._grow()
        return body

    def _grow(self) -> None:
        with self._lock:
            if self._calls > 0:
                self._calls -= 1
                self._log.batch(b"%d\n" % self._calls, checkpoint=True)


class Deadly(DirectoryStore):
    """Kills the process that reads data of a log whose name holds `deadly`."""

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        if "deadly" in key and "/events/" in key:
            os._exit(9)
        return super().get(key, max_bytes=max_bytes, version=version)


def open_deadly(root: Path) -> Deadly:
    """A store that worker processes can open."""
    return Deadly(root)
