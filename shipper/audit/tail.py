"""One file being followed: reads of it, cut into whole lines. Also what a follower hands out.

Knows nothing of other files, and never waits.
"""

from __future__ import annotations

from typing import NamedTuple

from shipper.audit.lines import LineBuffer
from shipper.audit.source import SourceFile
from shipper.model import Notice, Reason


class Segment(NamedTuple):
    """Bytes of one file that follow directly on the segment before them from that file.

    They end on a newline iff `terminated`; the next segment of the same file goes on in mid-line
    if not. `source.absorb(data)` is to be called once for each, in order.
    """

    source: SourceFile
    data: bytes
    terminated: bool


class Finished(NamedTuple):
    """No segment of `source` will come any more: whoever absorbed the last one closes it.

    `was_live`: it was followed while it was written to and not truncated meanwhile, so that
    `source.unchanged()` tells whether somebody edited it behind the reader.
    """

    source: SourceFile
    was_live: bool


Step = Segment | Notice | Finished


class Tail:
    """A source file with the partial line at the end of what was read of it."""

    __slots__ = ("_lines", "source")

    def __init__(self, source: SourceFile, line_bytes: int) -> None:
        self.source = source
        self._lines = LineBuffer(line_bytes)

    @property
    def handed(self) -> int:
        """The offset up to which bytes were handed out."""
        return self.source.offset - len(self._lines)

    def pull(self, size: int) -> Segment | None:
        """The next lines, from one read of `size` bytes; None at the end: see `source.state`.

        It reads on while a line is longer than one read, up to the size of the line buffer.
        """
        while data := self.source.read(size):
            lines = self._lines.feed(data)
            if lines:
                return Segment(self.source, lines, lines.endswith(b"\n"))
        return None

    def torn(self) -> Segment | None:
        """The partial line that is kept back, if any. It is handed out as it is."""
        data = self._lines.take()
        return Segment(self.source, data, terminated=False) if data else None


def notice(reason: Reason, detail: str) -> Notice:
    """A notice whose sentence fits the record."""
    return Notice(reason, detail[:4096])
