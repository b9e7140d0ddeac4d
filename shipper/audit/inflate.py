"""Reads what a gzip file holds, from its start, in bounded steps.

Never goes back, never waits, and never raises on bad bytes: it says CUT_SHORT or CORRUPT and has
handed out everything before them that decodes. Several members in a row are one content (RFC 1952).
"""

from __future__ import annotations

import os
import zlib

from shipper.audit.plain import State
from shipper.model import HEAD_BYTES

_INPUT_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class GzipReader:
    """Reads forward through a descriptor that it does not own. Offsets are uncompressed."""

    __slots__ = ("_fd", "_inflate", "_input", "_input_offset", "_ready", "head", "offset", "state")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._inflate = zlib.decompressobj(_GZIP)
        self._input = b""
        self._input_offset = 0
        self.offset = 0
        self.state = State.CUT_SHORT  # an empty file holds no gzip stream yet
        self._ready = b""
        while len(self._ready) < HEAD_BYTES:
            more = self._decode(HEAD_BYTES)
            if not more:
                break
            self._ready += more
        self.head = self._ready[:HEAD_BYTES]

    def read(self, size: int) -> bytes:
        """At most `size` more bytes; nothing at the end of what is there and decodes."""
        data = self._ready or self._decode(size)
        data, self._ready = data[:size], data[size:]
        if len(self.head) < HEAD_BYTES and self.offset == len(self.head):
            self.head = (self.head + data)[:HEAD_BYTES]
        self.offset += len(data)
        return data

    def _decode(self, size: int) -> bytes:
        while self.state is not State.CORRUPT:
            if not self._input:
                self._input = os.pread(self._fd, _INPUT_BYTES, self._input_offset)
                self._input_offset += len(self._input)
            ended = not self._input
            if ended and self.state is State.SOUND:
                break
            data = self._inflate_once(size)
            if data or ended:
                return data
        return b""

    def _inflate_once(self, size: int) -> bytes:
        if self.state is State.SOUND:
            # Between two members. NULs there are padding (gzip manual, "Tapes").
            self._input = self._input.lstrip(b"\0")
            if not self._input:
                return b""
            self._inflate = zlib.decompressobj(_GZIP)
        self.state = State.CUT_SHORT
        saved = self._inflate.copy()
        try:
            data = self._inflate.decompress(self._input, size)
        except zlib.error:
            return self._salvage(saved)
        self._input = self._inflate.unconsumed_tail
        if self._inflate.eof:
            self._input = self._inflate.unused_data
            self.state = State.SOUND
        return data

    def _salvage(self, inflate: zlib._Decompress) -> bytes:
        """What decodes before the bad byte: zlib drops the output of the call that fails."""
        self.state = State.CORRUPT
        found = []
        step = len(self._input)
        while self._input:
            trial = inflate.copy()
            try:
                found.append(trial.decompress(self._input[:step]))
            except zlib.error:
                if step == 1:
                    break
                step = max(1, step // 2)
            else:
                inflate = trial
                self._input = self._input[step:]
        self._input = b""
        return b"".join(found)
