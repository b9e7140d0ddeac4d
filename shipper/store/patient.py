"""A wrapper for whoever reads an archive: a passing failure of the store ends no verification.

Asks again a few times, with growing pauses; what will not get better by itself is raised at once.
Changes no answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from shipper.backoff import Backoff
from shipper.errors import ConflictError, NotFoundError, RefusedError, StoreError, UnknownError
from shipper.store.base import Check, Entry, Lock, Store, Stored

TRIES = 7
"""With pauses of up to 0.1 to 6.4 s between them: a store that is away for longer is away."""

_ANSWERS = (ConflictError, NotFoundError, RefusedError, UnknownError)

T = TypeVar("T")


class PatientStore:
    """`store`, asked again. May be used from several threads."""

    def __init__(self, store: Store, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self.url = store.url
        self.parallel = store.parallel
        self._store = store
        self._sleep = sleep

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        return self._store.put(key, body, sha256=sha256, again=again)

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        return self._ask(lambda: self._store.get(key, max_bytes=max_bytes, version=version))

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        """Goes on behind the last key that it has given out."""
        done = after
        pauses = self._pauses()
        while True:
            try:
                for entry in self._store.scan(prefix, after=done):
                    yield entry
                    done, pauses = entry.key, self._pauses()
            except StoreError as error:
                self._pause(error, pauses)
            else:
                return

    def last(self, prefix: str) -> Entry | None:
        return self._ask(lambda: self._store.last(prefix))

    def children(self, prefix: str) -> list[str]:
        return self._ask(lambda: self._store.children(prefix))

    def versions(self, key: str) -> Sequence[str]:
        return self._ask(lambda: self._store.versions(key))

    def lock(self, key: str, version: str) -> Lock | None:
        return self._ask(lambda: self._store.lock(key, version))

    def preflight(self) -> Iterator[Check]:
        return self._store.preflight()

    def _ask(self, question: Callable[[], T]) -> T:
        pauses = self._pauses()
        while True:
            try:
                return question()
            except StoreError as error:
                self._pause(error, pauses)

    def _pause(self, error: StoreError, pauses: Iterator[float]) -> None:
        pause = next(pauses, None)
        if pause is None or isinstance(error, _ANSWERS):
            raise error
        self._sleep(pause)

    def _pauses(self) -> Iterator[float]:
        backoff = Backoff()
        return iter([backoff.delay() for _ in range(TRIES - 1)])
