"""The Store protocol. One suite, `tests/store/test_contract.py`, holds every store to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """One object of a listing."""

    key: str
    size: int


class Store(Protocol):
    """Write-once storage. Keys are relative paths with `/`; calls block and may run in threads.

    Every method raises `StoreError` where the same call may succeed later.
    """

    url: str

    def put(self, key: str, body: bytes) -> None:
        """Store `body` under `key`, for good.

        Once it has returned, exactly these bytes are durable under `key` and nothing can
        replace them through this protocol. The same bytes again are a success, whoever stored
        them first; other bytes raise `ConflictError` and change nothing. When it raises
        anything else, the object is there whole or not at all.
        """
        ...

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """The object's bytes. `NotFoundError` if there is none; `FormatError` if it is longer
        than `max_bytes`, of which no more are read, or is no plain object."""
        ...

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        """All objects whose key begins with `prefix` (a path ending in `/`, or empty), in order
        of their keys, those up to and including `after` left out. Memory stays bounded."""
        ...

    def last(self, prefix: str) -> Entry | None:
        """The last object, in order of keys, directly below `prefix`; None if there is none."""
        ...

    def children(self, prefix: str) -> list[str]:
        """The names one level below `prefix` that have objects below them."""
        ...
