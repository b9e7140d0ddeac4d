"""Cuts a stream of bytes after its last newline and keeps the rest until it is complete.

No I/O, no clock, and no opinion on what a line holds: never loses, adds or changes a byte.
"""

from __future__ import annotations

LINE_BUFFER = 16 * 1024 * 1024
"""How much of one line is held in memory, in bytes. The longest line seen from a real API server
is 4 MB; an event longer than `--audit-log-maxsize` (100 MB by default) never reaches the file."""


class LineBuffer:
    """The partial last line of a stream, kept as the pieces in which it arrived.

    Pieces are joined once, when their newline arrives: a line of 16 MiB that arrives in reads of
    256 KiB costs one copy, not sixty-four.
    """

    __slots__ = ("_kept", "_limit", "_pieces")

    def __init__(self, limit: int = LINE_BUFFER) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._kept = 0

    def __len__(self) -> int:
        """How many bytes are kept back."""
        return self._kept

    def feed(self, data: bytes) -> bytes:
        """Take in `data`; return every complete line now available, or nothing.

        What is returned ends in a newline, save when the partial line has outgrown the limit: then
        it is handed out as it is, and the line goes on in what later calls return.
        """
        cut = data.rfind(b"\n") + 1
        if cut == 0:
            return self._keep(data)
        if cut == len(data):
            return self._join(data)
        lines = self._join(memoryview(data)[:cut])
        piece = self._keep(data[cut:])
        return lines + piece if piece else lines

    def take(self) -> bytes:
        """The partial line, which is no longer kept."""
        pieces, self._pieces, self._kept = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _keep(self, data: bytes) -> bytes:
        if data:
            self._pieces.append(data)
            self._kept += len(data)
        return self.take() if self._kept > self._limit else b""

    def _join(self, end: bytes | memoryview) -> bytes:
        if not self._pieces:
            return end if isinstance(end, bytes) else end.tobytes()
        lines = b"".join([*self._pieces, end])
        self._pieces, self._kept = [], 0
        return lines
