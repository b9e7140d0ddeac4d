"""A store in memory, for tests and rehearsals. Keeps the contract; keeps nothing after exit."""

from __future__ import annotations

from collections.abc import Iterator

from shipper.errors import ConflictError, FormatError, NotFoundError
from shipper.store.base import Entry


class MemoryStore:
    """Objects in a dict."""

    def __init__(self) -> None:
        self.url = "memory:"
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, body: bytes) -> None:
        if self.objects.setdefault(key, body) != body:
            raise ConflictError(f"{key} is stored already, with other bytes")

    def get(self, key: str, *, max_bytes: int) -> bytes:
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
