"""A batch's bytes out of their zstd frames, in bounded pieces (RFC 8878).

Refuses anything between or behind the frames, dictionaries, and windows beyond 8 MiB.
"""

from __future__ import annotations

from collections.abc import Iterator

import zstandard

from shipper.errors import FormatError

MAX_WINDOW_BYTES = 8 * 1024 * 1024
"""What RFC 8878 (3.1.1.1.2) asks every decoder to support, and encoders not to exceed."""

PIECE_BYTES = 128 * 1024
"""A zstd block, and small enough for the second-level cache: larger pieces split more slowly."""

_MAGIC = b"\x28\xb5\x2f\xfd"
_RAW, _RLE, _COMPRESSED = 0, 1, 2


def check_frames(body: bytes) -> None:
    """`FormatError` unless `body` is whole frames (most often one), from first to last byte."""
    offset = _frame_end(body, 0)
    while offset < len(body):
        offset = _frame_end(body, offset)


def _frame_end(body: bytes, start: int) -> int:
    offset, has_checksum = _header(body, start)
    last = False
    while not last:
        block = int.from_bytes(body[offset : offset + 3], "little")
        last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        if kind not in (_RAW, _RLE, _COMPRESSED) or offset + 3 > len(body):
            raise FormatError(f"the block at byte {offset} is none")
        offset += 3 + (1 if kind == _RLE else size)
    offset += 4 if has_checksum else 0
    if offset > len(body):
        raise FormatError(f"the frame at byte {start} ends after the object")
    return offset


def _header(body: bytes, start: int) -> tuple[int, bool]:
    """Where the first block starts, and whether a checksum follows the last (section 3.1.1.1)."""
    if body[start : start + 4] != _MAGIC or len(body) < start + 6:
        raise FormatError(f"no frame begins at byte {start}")
    descriptor = body[start + 4]
    if descriptor & 0b1011:
        raise FormatError("it needs a dictionary, or is of a later zstd")
    is_single = bool(descriptor & 0b10_0000)
    size_bytes = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    return start + 5 + (not is_single) + size_bytes, bool(descriptor & 0b100)


def unpack(body: bytes, raw_size: int) -> Iterator[bytes]:
    """The frames' content in pieces, `raw_size` bytes in all; `FormatError` if it has not as many.

    At most one byte more than `raw_size` is ever unpacked.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
    reader = decompressor.stream_reader(body, read_across_frames=True)
    left = raw_size
    try:
        while left and (piece := reader.read(min(PIECE_BYTES, left))):
            left -= len(piece)
            yield piece
        if left or reader.read(1):
            raise FormatError(f"it holds {'fewer' if left else 'more'} than {raw_size} bytes")
    except zstandard.ZstdError as error:
        raise FormatError(f"it cannot be unpacked: {error}") from error
