"""Batches in the making."""

from __future__ import annotations

import hashlib

import zstandard

from shipper.batch.builder import BatchBuilder
from shipper.model import FileHead, SourceSpan


class FakeSource:
    """A source file as the builder sees it, and what it was given."""

    def __init__(self, path: str, end: int = 0) -> None:
        self.path, self.end, self.taken = path, end, b""

    def absorb(self, data: bytes) -> None:
        self.taken += data
        self.end += len(data)

    def span(self, start: int) -> SourceSpan:
        digest = hashlib.sha256(self.taken).hexdigest()
        return SourceSpan(self.path, 1, 2, FileHead(0, digest), start, self.end, digest)


def test_bytes_come_back_exactly_and_in_order() -> None:
    """Small and large pieces decompress to what went in."""
    source = FakeSource("a", end=100)
    pieces = [b"small\n", b"x" * 300_000 + b"\n", b"s\n"] + [bytes([n]) * 99_999 for n in range(9)]
    builder = BatchBuilder(opened_ns=0)
    for piece in pieces:
        builder.add(source, piece, [b"leaf"])
    batch, spans = builder.finish(unterminated=True, range_=None, malformed_lines=3)
    data = b"".join(pieces)
    assert zstandard.ZstdDecompressor().decompressobj().decompress(batch.compressed) == data
    assert source.taken == data
    assert [(s.start, s.end) for s in spans] == [(100, 100 + len(data))]
    assert (batch.raw_size, len(batch.leaves)) == (len(data), len(pieces))
    assert (batch.unterminated, batch.malformed_lines) == (True, 3)


def test_a_source_that_comes_back_has_two_spans() -> None:
    """Bytes of one file on both sides of another's are two spans, each where it was read."""
    first, second = FakeSource("a"), FakeSource("b", end=7)
    builder = BatchBuilder(opened_ns=0)
    for source, piece in ((first, b"1\n"), (second, b"22\n"), (first, b"333\n")):
        builder.add(source, piece, [])
    assert builder.sources == 3
    _, spans = builder.finish(unterminated=False, range_=None, malformed_lines=0)
    assert [(s.path, s.start, s.end) for s in spans] == [("a", 0, 2), ("b", 7, 10), ("a", 2, 6)]
