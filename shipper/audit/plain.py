"""Reads a plain file that others append to, and may truncate, while it is being read.

Never hands out bytes of which it is not sure that they belong to the generation it started with.

An outside `copytruncate` can empty the file and the API server fill it beyond our offset between
two polls, so a size that has only grown proves nothing. After every read the file must still be
long enough, start with the same head (every event carries its own audit id) and hold the same bytes
before our offset (a file that was truncated twice can start with NULs both times); bytes from a
read that fails this are discarded. The check comes after the read, so that a truncation during the
read is seen too.
"""

from __future__ import annotations

import enum
import os

from shipper.model import HEAD_BYTES

IDENTIFYING_BYTES = 256
"""A head this long holds an audit id."""

_LAST_BYTES = 64


def identifies(head: bytes) -> bool:
    """Whether no other file has this head.

    Every event's audit id stands within its first 256 bytes, so a head with one whole line, or as
    long, is nobody else's. Shorter ones are the same for all; so are NULs, which an outside
    `copytruncate` leaves behind.
    """
    return (len(head) >= IDENTIFYING_BYTES or b"\n" in head) and bool(head.strip(b"\0"))


class State(enum.Enum):
    """What is the matter with a file, if anything."""

    SOUND = enum.auto()
    TRUNCATED = enum.auto()
    """The content is another one: what was read is gone from this file."""
    SHORTENED = enum.auto()
    """The same content at its start, but what was read last is gone."""
    CUT_SHORT = enum.auto()
    """A gzip stream that ends early: perhaps it is still being written."""
    CORRUPT = enum.auto()
    """A gzip stream that cannot be decoded any further."""


class PlainReader:
    """Reads forward through a descriptor that it does not own."""

    __slots__ = ("_fd", "_last", "head", "offset", "state", "written_ns")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._last = b""
        self.offset = 0
        self.state = State.SOUND
        self.head = os.pread(fd, HEAD_BYTES, 0)
        self.written_ns = -1
        """Modification time at the last check that held: nothing read so far was written later."""

    def read(self, size: int) -> bytes:
        """At most `size` more bytes; nothing at the end, and nothing any more once not sound."""
        if self.state is not State.SOUND:
            return b""
        before = os.fstat(self._fd)
        left = before.st_size - self.offset
        # An idle file costs this one system call.
        if left == 0 and before.st_mtime_ns == self.written_ns:
            return b""
        data = os.pread(self._fd, min(size, left), self.offset) if left > 0 else b""
        if not self._same_generation(self.offset + len(data)):
            return b""
        self.offset += len(data)
        self._last = data[-_LAST_BYTES:] or self._last
        return data

    def _same_generation(self, needed: int) -> bool:
        after = os.fstat(self._fd)
        start = os.pread(self._fd, HEAD_BYTES, 0)
        last = os.pread(self._fd, len(self._last), self.offset - len(self._last))
        if start.startswith(self.head) and last == self._last and after.st_size >= needed:
            self.head = start
            self.written_ns = after.st_mtime_ns
            return True
        same_start = identifies(start) and (
            start.startswith(self.head) or self.head.startswith(start)
        )
        self.state = State.SHORTENED if same_start else State.TRUNCATED
        return False
