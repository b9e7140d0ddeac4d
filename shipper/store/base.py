"""The Store protocol. One suite, `tests/store/test_contract.py`, holds every store to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

LockMode = Literal["COMPLIANCE", "GOVERNANCE"]


class Entry(NamedTuple):
    """One key of a listing.

    `size` and `version` (its id) are those of the oldest object stored under it. Stores that keep
    versions say how many objects lie under the key, and how many delete markers: a write-once
    archive has one and none.
    """

    key: str
    size: int
    versions: int = 1
    markers: int = 0
    version: str = ""


class Lock(NamedTuple):
    """A retention in force: nobody whom the mode binds can delete the object before `until`."""

    mode: LockMode
    until: datetime


class Stored(NamedTuple):
    """What the store said of an upload: the version's id, and what is weaker than configured.

    Both are empty where a store has neither versions nor locks, or where all is as configured.
    """

    version: str = ""
    weak: str = ""


class Check(NamedTuple):
    """One answer of a preflight.

    `ok`; `weak`: the store can be used, but a person should mend this; `failed`: it does not work
    now; `refused`: it must not be used as it is; `unknown`: it could not be found out.
    """

    state: Literal["ok", "weak", "failed", "refused", "unknown"]
    says: str
    remedy: str = ""


class Store(Protocol):
    """Write-once storage. Keys are relative paths with `/`; calls block and may run in threads.

    Every method raises `StoreError` where the same call may succeed later; `RefusedError` where
    it will not before a person has done something.
    """

    url: str

    parallel: int
    """How many reads at a time it answers best."""

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        """Store `body` under `key`, for good.

        Once it has returned, exactly these bytes are durable under `key` and nothing can
        replace them through this protocol. The same bytes again are a success, whoever stored
        them first; other bytes raise `ConflictError` and change nothing. When it raises
        anything else, the object is there whole or not at all.

        `sha256` (hex) is the body's, if the caller knows it. `again` says that the same may have
        been put before and the answer lost: a store that would keep a second version looks first.
        """
        ...

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        """The object's bytes. `NotFoundError` if there is none; `FormatError` if it is longer
        than `max_bytes`, of which no more are read, or is no plain object. Of several versions
        the current one, or the one that is named."""
        ...

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        """All keys that begin with `prefix` (a path ending in `/`, or empty), in order, those up
        to and including `after` left out; also those that a delete marker hides. Memory stays
        bounded."""
        ...

    def last(self, prefix: str) -> Entry | None:
        """The last object, in order of keys, directly below `prefix`; None if there is none.

        A store that cannot list backwards may look at names that begin with 12 digits alone."""
        ...

    def children(self, prefix: str) -> list[str]:
        """The names one level below `prefix` that have objects below them."""
        ...

    def versions(self, key: str) -> Sequence[str]:
        """The ids of the objects stored under `key`, the oldest first, at most some dozens; also
        those that a delete marker hides. Empty if there is none."""
        ...

    def lock(self, key: str, version: str) -> Lock | None:
        """The retention in force on this object; None if there is none. `UnknownError` if the
        store does not say: without the permission to ask, silence proves nothing."""
        ...

    def preflight(self) -> Iterator[Check]:
        """Whether the store is what the configuration takes it for. Leaves nothing behind."""
        ...
