"""A batch's bytes: however they are cut, the same lines, root and prefix."""

from __future__ import annotations

import hashlib
import io
from itertools import pairwise

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from shipper.errors import FormatError
from shipper.seal.merkle import root
from shipper.verify.batch import LineTree, PrefixHash
from shipper.verify.frame import PIECE_BYTES, check_frames, unpack
from shipper.verify.proofs import line_leaves
from shipper.verify.sources import KnownFile
from tests.verify.archive import Source

raws = st.lists(st.sampled_from([b"\n", b"a", b"line", b"\n\n", b"x" * 300]), max_size=60).map(
    b"".join
)


def pieces(raw: bytes, cuts: list[int]) -> list[bytes]:
    """`raw` cut at these places."""
    places = [0, *sorted(cut % (len(raw) + 1) for cut in cuts), len(raw)]
    return [raw[a:b] for a, b in pairwise(places)]


@given(raws, st.lists(st.integers(0, 10_000), max_size=8))
def test_lines_are_the_same_under_any_cutting(raw: bytes, cuts: list[int]) -> None:
    """Count, root and the missing newline do not depend on how the bytes arrive."""
    tree = LineTree()
    for piece in pieces(raw, cuts):
        tree.feed(piece)
    leaves = line_leaves(raw)
    expected = (root(leaves), bool(raw) and not raw.endswith(b"\n"))
    assert tree.finish() == expected
    assert tree.lines == len(leaves)


@given(raws, st.lists(st.integers(0, 10_000), max_size=8), st.integers(0, 10_000))
def test_prefixes_are_the_same_under_any_cutting(raw: bytes, cuts: list[int], split: int) -> None:
    """Each source's prefix is hashed over its own part of the batch."""
    split %= len(raw) + 1
    first, second = Source(inode=1), Source(inode=2)
    spans = [first.take(raw[:split]), second.take(raw[split:]), second.take()]
    files = [KnownFile(1, n, 0, hashlib.sha256()) for n in (1, 2)]
    prefix = PrefixHash(spans, [*files, files[1]])
    for piece in pieces(raw, cuts):
        prefix.feed(piece)
    assert prefix.wrong == []


def test_a_long_line_is_not_held_in_memory() -> None:
    """A line of many pieces is hashed piece by piece."""
    tree = LineTree()
    for _ in range(1_000):
        tree.feed(b"x" * 1_000)
    expected = hashlib.sha256(b"\x00" + b"x" * 1_000_000).digest()
    assert tree.finish() == (expected, True)


def test_a_flood_of_empty_lines_is_counted() -> None:
    """Lines without any byte are lines."""
    tree = LineTree()
    tree.feed(b"\n" * 200_000)
    assert tree.finish()[0] == root(line_leaves(b"\n" * 200_000))
    assert tree.lines == 200_000


@given(st.binary(max_size=2_000), st.integers(1, 3), st.booleans())
def test_whole_frames_are_accepted(raw: bytes, frames: int, checksum: bool) -> None:
    """What zstd writes, in one frame or more, unpacks to the same bytes."""
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=checksum)
    body = b"".join(compressor.compress(raw) for _ in range(frames))
    check_frames(body)
    assert b"".join(unpack(body, len(raw) * frames)) == raw * frames
    for wrong in (len(raw) * frames - 1, len(raw) * frames + 1):
        with pytest.raises(FormatError):
            list(unpack(body, max(0, wrong) if raw else 1))


@given(st.binary(max_size=500), st.data())
def test_cut_or_extended_frames_are_refused(raw: bytes, data: st.DataObject) -> None:
    """Any cut, and any byte more, is noticed before anything is unpacked."""
    body = zstandard.compress(raw)
    cut = data.draw(st.integers(0, len(body) - 1))
    with pytest.raises(FormatError):
        check_frames(body[:cut])
    with pytest.raises(FormatError):
        check_frames(body + data.draw(st.binary(min_size=1, max_size=5)))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_frame_reader(body: bytes) -> None:
    """Any bytes are whole frames or a `FormatError`."""
    for junk in (body, b"\x28\xb5\x2f\xfd" + body):
        try:
            check_frames(junk)
            list(unpack(junk, 1_000))
        except FormatError:
            continue


def test_pieces_are_bounded() -> None:
    """However well it is compressed, no piece is larger than the limit, and no more is unpacked."""
    source = zstandard.ZstdCompressor().stream_reader(io.BytesIO(bytes(5_000_000)))
    body = source.read()
    assert max(len(piece) for piece in unpack(body, 5_000_000)) == PIECE_BYTES
