"""How many calls to a store may be under way: fewer after a failure, more while all goes well.

Additive increase, multiplicative decrease, as TCP does it (RFC 5681): many clients that do so
share a store that says SlowDown. Knows nothing of what the calls do.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

MOST = 16


class Slots:
    """Use as an async context around a call; then tell how it went."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._limit = float(most)
        self._taken = 0
        self._free = asyncio.Condition()

    @property
    def limit(self) -> int:
        """How many may be under way now."""
        return int(self._limit)

    def went_well(self) -> None:
        """One more for as many calls as there may be."""
        self._limit = min(float(self._most), self._limit + 1 / self._limit)

    def failed(self) -> None:
        """Half as many, but one."""
        self._limit = max(1.0, self._limit / 2)

    async def __aenter__(self) -> None:
        async with self._free:
            await self._free.wait_for(lambda: self._taken < self.limit)
            self._taken += 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        async with self._free:
            self._taken -= 1
            self._free.notify_all()
