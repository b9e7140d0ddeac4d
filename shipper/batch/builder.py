"""Gather lines into a batch: compress, hash, count. Decides nothing and seals nothing.

Compression and the source's own hash run in a second thread, in the order of the lines; both let
go of the interpreter lock while they work, so that two cores are used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from typing import Protocol

import zstandard

from shipper.model import Batch, EventRange, SourceSpan

COMPRESSION_LEVEL = 1
"""Audit logs shrink more than tenfold at level 1; level 3 takes half as much time again."""

_IN_FLIGHT = 4
"""Pieces that may wait for the second thread: bounds the memory, hides its hiccups."""

_INLINE_BYTES = 64 * 1024
"""Below this, handing a piece to another thread costs more than compressing it."""


class TouchedSource(Protocol):
    """A source file as the builder needs it."""

    @property
    def end(self) -> int:
        """The offset up to which its bytes have been absorbed."""
        ...

    def absorb(self, data: bytes) -> None:
        """Hash the next bytes and advance `end`."""
        ...

    def span(self, start: int) -> SourceSpan:
        """The bytes from `start` to `end`."""
        ...


class BatchBuilder:
    """One batch in the making."""

    def __init__(self, executor: Executor, *, opened_ns: int) -> None:
        self.opened_ns = opened_ns
        self.raw_size = 0
        self.leaves: list[bytes] = []
        self._executor = executor
        self._compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compressobj()
        self._compressed: list[bytes] = []
        self._in_flight: deque[Future[None]] = deque()
        self._spans: list[SourceSpan] = []
        self._source: TouchedSource | None = None
        self._start = 0

    def add(self, source: TouchedSource, data: bytes, leaves: Sequence[bytes]) -> None:
        """Take `data`, the next bytes of `source`, whose lines have these leaf hashes."""
        if source is not self._source:
            self._leave_source()
            self._source, self._start = source, source.end
        self.raw_size += len(data)
        self.leaves += leaves
        if len(data) < _INLINE_BYTES and not self._in_flight:
            self._take(source, data)
            return
        while len(self._in_flight) >= _IN_FLIGHT:
            self._in_flight.popleft().result()
        self._in_flight.append(self._executor.submit(self._take, source, data))

    @property
    def sources(self) -> int:
        """How many source files the batch has touched."""
        return len(self._spans) + (self._source is not None)

    def settle(self) -> None:
        """Wait until everything added is compressed and absorbed by its source."""
        while self._in_flight:
            self._in_flight.popleft().result()

    def finish(
        self, *, unterminated: bool, range_: EventRange | None, malformed_lines: int
    ) -> tuple[Batch, list[SourceSpan]]:
        """The batch, and the span of each source file in it, in order."""
        self._leave_source()
        self._compressed.append(self._compressor.flush())
        batch = Batch(
            compressed=b"".join(self._compressed),
            raw_size=self.raw_size,
            leaves=tuple(self.leaves),
            unterminated=unterminated,
            range=range_,
            malformed_lines=malformed_lines,
        )
        return batch, self._spans

    def _leave_source(self) -> None:
        self.settle()
        if self._source is not None:
            self._spans.append(self._source.span(self._start))

    def _take(self, source: TouchedSource, data: bytes) -> None:
        compressed = self._compressor.compress(data)
        if compressed:
            self._compressed.append(compressed)
        source.absorb(data)
