"""Records on their way out: their data goes ahead, several at a time, before their manifests.

Oldest first, within a bounded number of records and bytes. A record leaves here once its data is in
the store; manifests are the ship loop's, one after the other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from shipper.model import Record, StoredObject

AHEAD_RECORDS = 16
"""A verifier knows this number (docs/format.md): data beyond it has no manifest to wait for."""

AHEAD_BYTES = 32 * 2**20

Load = Callable[[int], Awaitable[Record]]
Put = Callable[[StoredObject, int], Awaitable[object]]
"""Takes an object and its record's number."""


class _Going(NamedTuple):
    seq: int
    size: int
    record: asyncio.Task[Record]


class Ahead:
    """A window on the spool's pending records. For one event loop."""

    def __init__(self, load: Load, put: Put) -> None:
        self._load = load
        self._put = put
        self._going: deque[_Going] = deque()
        self._bytes = 0

    @property
    def newest(self) -> int:
        """The number of the newest record that was begun; -1 if there is none under way."""
        return self._going[-1].seq if self._going else -1

    @property
    def has_room(self) -> bool:
        """Whether one more may be begun."""
        return len(self._going) < AHEAD_RECORDS and (not self._going or self._bytes < AHEAD_BYTES)

    def begin(self, seq: int, size: int) -> None:
        """Load record `seq`, the one after the newest, of `size` bytes, and put its data."""
        record = asyncio.create_task(self._send(seq), name=f"data {seq}")
        self._going.append(_Going(seq, size, record))
        self._bytes += size

    async def oldest(self) -> Record:
        """The oldest record, once its data is in the store. Raises what loading it raised."""
        going = self._going[0]
        record = await asyncio.shield(going.record)
        self._going.popleft()
        self._bytes -= going.size
        return record

    def __len__(self) -> int:
        return len(self._going)

    async def _send(self, seq: int) -> Record:
        record = await self._load(seq)
        for stored in record.before:
            await self._put(stored, seq)
        return record

    def close(self) -> None:
        """Give up what is under way."""
        for going in self._going:
            give_up(going.record)
        self._going.clear()
        self._bytes = 0


def give_up(task: asyncio.Task[Any]) -> None:
    """Cancel it; what it has raised is looked at, so that asyncio does not complain."""
    if not task.cancel() and not task.cancelled():
        task.exception()
