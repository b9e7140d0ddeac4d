"""Lines of an audit log that somebody names: a file, plain or compressed, or standard input.

Bounded memory: a line longer than the limit comes in pieces. Bad bytes of a compressed file end it
with an error, after what decodes before them.
"""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Protocol, cast

import zstandard

from shipper.audit.lines import LineBuffer
from shipper.errors import SourceError

BLOCK_BYTES = 1024 * 1024

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAX_WINDOW_BYTES = 128 * 1024 * 1024
"""What `zstd` itself takes without being told: the memory that a file can ask for."""


_STEP_BYTES = 1024


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def chunks(name: str) -> Iterator[list[bytes]]:
    """The lines of the file `name` (`-`: standard input), without newlines, some 1 MiB at a time.

    Raises SourceError if it can not be read, or not to its end.
    """
    try:
        if name == "-":
            yield from _lines(_inflated(cast(BufferedReader, sys.stdin.buffer)))
            return
        with Path(name).open("rb") as file:
            yield from _lines(_inflated(file))
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"{name} cannot be read, or not to its end: {reason}") from error


def _inflated(file: BufferedReader) -> _Readable:
    start = file.peek(4)
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(_ZSTD):
        return _Zstd(file)
    return file


class _Zstd:
    """Reads frames to the end of the file; the library's own reader takes a cut frame for whole.

    In steps so small that what one yields is bounded: 4 bytes can stand for 128 KiB.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._input = b""

    def read(self, _size: int, /) -> bytes:
        while True:
            self._input = self._input or self._file.read(_STEP_BYTES)
            if not self._input:
                if self._frame is not None:
                    raise EOFError("the last zstd frame is cut off")
                return b""
            frame = self._frame or self._decompressor.decompressobj()
            data = frame.decompress(self._input)
            self._input = frame.unused_data
            self._frame = None if frame.eof else frame
            if data:
                return data


def _lines(file: _Readable) -> Iterator[list[bytes]]:
    buffer = LineBuffer()
    while data := file.read(BLOCK_BYTES):
        if whole := buffer.feed(data):
            yield whole.removesuffix(b"\n").split(b"\n")
    if len(buffer):
        yield [buffer.take()]
