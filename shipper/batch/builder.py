"""Gather lines into a batch: compress, hash, count. Decides nothing and seals nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import zstandard

from shipper.model import Batch, EventRange, SourceSpan

COMPRESSION_LEVEL = 1
"""Audit logs shrink more than tenfold at level 1; level 3 takes half as much time again."""


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

    def __init__(self, *, opened_ns: int) -> None:
        self.opened_ns = opened_ns
        self.raw_size = 0
        self.leaves: list[bytes] = []
        self._compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compressobj()
        self._compressed: list[bytes] = []
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
        self._compressed.append(self._compressor.compress(data))
        source.absorb(data)

    @property
    def sources(self) -> int:
        """How many source files the batch has touched."""
        return len(self._spans) + (self._source is not None)

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
        if self._source is not None:
            self._spans.append(self._source.span(self._start))
