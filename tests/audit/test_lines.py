"""The buffer that cuts after the last newline."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shipper.audit.lines import LineBuffer

_TEXT = st.text("ab\n\0\r", max_size=60).map(str.encode)


@given(_TEXT, st.lists(st.integers(0, 60)), st.integers(0, 20))
def test_no_byte_is_lost_whatever_the_chunks(data: bytes, cuts: list[int], limit: int) -> None:
    """What comes out, and the tail, is what went in; at most `limit` bytes stay behind."""
    buffer = LineBuffer(limit)
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    out = b""
    for start, end in pairwise(edges):
        got = buffer.feed(data[start:end])
        out += got
        assert len(buffer) == end - len(out) <= limit
    assert out + buffer.take() == data
    assert buffer.take() == b""


@given(_TEXT, st.lists(st.integers(0, 60)))
def test_below_the_limit_only_whole_lines_come_out(data: bytes, cuts: list[int]) -> None:
    """Every piece ends on a newline, and only an unfinished line stays behind."""
    buffer = LineBuffer(1000)
    edges = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    for start, end in pairwise(edges):
        got = buffer.feed(data[start:end])
        assert got == b"" or got.endswith(b"\n")
    assert b"\n" not in buffer.take()


def test_a_line_longer_than_the_limit_comes_in_pieces() -> None:
    """A 40 MB line passes through a buffer of 16 MiB unchanged, as pieces without a newline."""
    mib = 1024 * 1024
    buffer = LineBuffer()
    pieces = []
    for number in range(160):
        data = bytes([65 + number % 26]) * (mib // 4)
        pieces.append(buffer.feed(data))
        assert len(buffer) <= 16 * mib
    pieces.append(buffer.feed(b"end\nnext"))
    out = [piece for piece in pieces if piece]
    assert [piece.endswith(b"\n") for piece in out] == [False, False, True]
    assert sum(map(len, out)) == 40 * mib + len(b"end\n")
    assert buffer.take() == b"next"


def test_whole_lines_pass_without_a_copy() -> None:
    """A read that ends on a newline is handed on as it is."""
    data = b"one\ntwo\n"
    assert LineBuffer().feed(data) is data
