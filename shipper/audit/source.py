"""One file of the audit log: an open descriptor, its identity, the hash of what was absorbed.

Refuses to guess: which file this is, and what comes after it, is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from shipper.audit.access import open_regular, shown, source_error
from shipper.audit.inflate import GzipReader
from shipper.audit.plain import PlainReader, State
from shipper.audit.siblings import GZIP, Sibling, stamp_of
from shipper.model import FileHead, SourceSpan

_CHUNK_BYTES = 1024 * 1024


class _Reader(Protocol):
    offset: int
    state: State
    head: bytes

    def read(self, size: int) -> bytes: ...


class SourceFile:
    """Owns the descriptor `fd` until `close`.

    Reading and absorbing are apart: the reader runs ahead by what is not sealed yet, and only `end`
    and the hash say what was.
    """

    def __init__(self, fd: int, path: Path, *, live: Path, was_live: bool) -> None:
        found = os.fstat(fd)
        self._fd = fd
        self._live = live
        self.path = path
        """The name it was last seen under; a rotation noticed in time changes it."""
        self.device = found.st_dev
        self.inode = found.st_ino
        self.was_live = was_live
        """Whether it was followed while the API server was writing to it."""
        self.stamp = self._stamp(path)
        """When it was rotated; None if it is live, or was renamed by something else."""
        self._compressed = path != live and path.name.endswith(GZIP)
        self._reader = self._new_reader()
        self._head = _file_head(self._reader.head)
        self.in_line = False
        """Whether `seek` stopped in the middle of a line."""
        self._hash = hashlib.sha256()
        self.end = 0

    # -- for the reader -----------------------------------------------------------------------

    def read(self, size: int) -> bytes:
        """At most `size` bytes after those read before; nothing at the end: see `state`."""
        try:
            data = self._reader.read(size)
        except OSError as error:
            raise source_error(self.path, error) from error
        if len(self._reader.head) != self._head.size:
            self._head = _file_head(self._reader.head)
        return data

    @property
    def offset(self) -> int:
        """How far the file was read, in uncompressed bytes."""
        return self._reader.offset

    @property
    def state(self) -> State:
        """What is the matter with the file, if anything. It is renewed by each read."""
        return self._reader.state

    @property
    def head_bytes(self) -> bytes:
        """The first 1 KiB, or what there was."""
        return self._reader.head

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode: nobody else's for as long as the descriptor is open, and no longer."""
        return self.device, self.inode

    @property
    def compressed(self) -> bool:
        """Whether it is read through gzip."""
        return self._compressed

    @property
    def written_ns(self) -> int:
        """No byte read so far was written later than this (plain files only), Unix time in ns."""
        return self._reader.written_ns if isinstance(self._reader, PlainReader) else -1

    def seek(self, end: int) -> bool:
        """Take `[0, end)` as absorbed, so that reading starts there. False if there is less."""
        while self.offset < end:
            data = self.read(min(_CHUNK_BYTES, end - self.offset))
            if not data:
                return False
            self.absorb(data)
            self.in_line = not data.endswith(b"\n")
        return True

    def holds(self, length: int) -> bool:
        """Whether the file has at least `length` bytes now, uncompressed."""
        if not self._compressed:
            return self.signature()[0] >= length
        for data in self.chunks():
            length -= len(data)
            if length <= 0:
                return True
        return length <= 0

    def continues(self, other: SourceFile) -> bool:
        """Whether this one starts with all that was absorbed of `other`, and now stands there."""
        return self.seek(other.end) and self._hash.digest() == other._hash.digest()

    def renamed(self, sibling: Sibling) -> None:
        """The API server has rotated this file: it is `sibling` now."""
        self.path, self.stamp = sibling.path, sibling.stamp

    def unlinked(self) -> bool:
        """Whether no name is left of it."""
        return os.fstat(self._fd).st_nlink == 0

    def signature(self) -> tuple[int, int]:
        """Size on disk and modification time: a file in which neither changes is not written to."""
        found = os.fstat(self._fd)
        return found.st_size, found.st_mtime_ns

    def next_generation(self) -> SourceFile:
        """The same file from its start, after a truncation, with a descriptor of its own."""
        new = SourceFile(os.dup(self._fd), self.path, live=self._live, was_live=self.was_live)
        new.stamp = self.stamp
        return new

    # -- for whoever absorbs ------------------------------------------------------------------

    def absorb(self, data: bytes) -> None:
        """Count `data` as taken. To be called once for each piece read, in order."""
        self._hash.update(data)
        self.end += len(data)

    def span(self, start: int) -> SourceSpan:
        """The record of bytes `[start, end)`, with the hash of `[0, end)`."""
        return SourceSpan(
            path=shown(self.path),
            device=self.device,
            inode=self.inode,
            head=self._head,
            start=start,
            end=self.end,
            prefix_sha256=self._hash.hexdigest(),
        )

    # -- for either, while the other rests ----------------------------------------------------

    def unchanged(self) -> bool:
        """Whether `[0, end)` still holds what was absorbed: it is read again and compared."""
        again = hashlib.sha256()
        try:
            reader = self._new_reader()
            while reader.offset < self.end:
                data = reader.read(min(_CHUNK_BYTES, self.end - reader.offset))
                if not data:
                    return False
                again.update(data)
        except OSError as error:
            raise source_error(self.path, error) from error
        return again.digest() == self._hash.digest()

    def chunks(self) -> Iterator[bytes]:
        """All that the file holds now, from its start, whatever was read or absorbed."""
        reader = self._new_reader()
        while data := reader.read(_CHUNK_BYTES):
            yield data

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _new_reader(self) -> _Reader:
        return GzipReader(self._fd) if self._compressed else PlainReader(self._fd)

    def _stamp(self, path: Path) -> datetime | None:
        return None if path == self._live else stamp_of(self._live, path.name)


def open_source(path: Path, *, live: Path, was_live: bool = False) -> SourceFile | None:
    """The file at `path` of the log whose live file is `live`; None if there is none (any more)."""
    fd = open_regular(path, follow=path == live)
    if fd is None:
        return None
    try:
        return SourceFile(fd, path, live=live, was_live=was_live or path == live)
    except OSError as error:
        os.close(fd)
        raise source_error(path, error) from error


def _file_head(start: bytes) -> FileHead:
    return FileHead(size=len(start), sha256=hashlib.sha256(start).hexdigest())
