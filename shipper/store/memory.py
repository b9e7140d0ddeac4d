"""A store in memory, for tests and rehearsals. Keeps the contract; keeps nothing after exit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shipper.errors import ConflictError, FormatError, NotFoundError, UnknownError
from shipper.store.base import Check, Entry, Lock, Stored


class MemoryStore:
    """Objects in a dict."""

    parallel = 2

    def __init__(self) -> None:
        self.url = "memory:"
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        if self.objects.setdefault(key, body) != body:
            raise ConflictError(f"{key} is stored already, with other bytes")
        return Stored()

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        body = self.objects.get(key)
        if body is None:
            raise NotFoundError(f"there is no {key}")
        if len(body) > max_bytes:
            raise FormatError(f"{key} has {len(body)} bytes, more than {max_bytes}")
        return body

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > after:
                yield Entry(key, len(self.objects[key]))

    def last(self, prefix: str) -> Entry | None:
        return max((e for e in self.scan(prefix) if "/" not in e.key[len(prefix) :]), default=None)

    def children(self, prefix: str) -> list[str]:
        below = {key[len(prefix) :] for key in self.objects if key.startswith(prefix)}
        return sorted({path.split("/", 1)[0] for path in below if "/" in path})

    def versions(self, key: str) -> Sequence[str]:
        return [""] if key in self.objects else []

    def lock(self, key: str, version: str) -> Lock | None:
        raise UnknownError(f"{key}: memory has no Object Lock")

    def preflight(self) -> Iterator[Check]:
        yield Check("ok", f"{self.url} keeps nothing after exit")
