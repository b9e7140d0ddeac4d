"""A write-once directory: the embedded default.

An object appears whole or not at all, is never overwritten, and is left read-only; with
`immutable` the file system refuses its deletion too (`chattr +i`, needs CAP_LINUX_IMMUTABLE).
Reading trusts nothing: links are not followed, only regular files are opened.
"""

from __future__ import annotations

import errno
import fcntl
import heapq
import os
import stat
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from shipper.disk import Disk
from shipper.errors import ConflictError, FormatError, NotFoundError, StoreError, UnknownError
from shipper.store.base import Check, Entry, Lock, Stored

LIST_PAGE = 200_000
"""Names of one directory held at once while listing: some 30 MB. More names cost more passes."""

MAX_DEPTH = 24
"""Directories below each other that a listing goes down; a log's objects lie nine deep at most."""

_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS, _FS_IMMUTABLE_FL = 0x80086601, 0x40086602, 0x10
_READ_ONLY = 0o444


class DirectoryStore:
    """Objects as files below `root`."""

    parallel = 4

    def __init__(self, root: Path, *, immutable: bool = False, disk: Disk | None = None) -> None:
        self.url = f"file://{root}"
        self._root = root
        self._immutable = immutable
        self._disk = disk or Disk()

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        """Write under a temporary name, link to the final one, drop the temporary one.

        link(2) refuses a name that is taken, so nothing is ever replaced. A crash leaves at most
        the temporary file, whose name starts with a dot and which the next try replaces.
        """
        path = self._path(key)
        temporary = path.with_name(f".{path.name}.tmp")
        with _store_errors(f"{key} could not be written to {self.url}"):
            self._disk.make_directory(path.parent, mode=0o755)
            if not path.exists():
                self._disk.write(temporary, body, mode=_READ_ONLY)
                with suppress(FileExistsError):  # of another writer: compared below
                    self._disk.link(temporary, path)
            self._disk.unlink(temporary)
            self._check(path, key, body)
            self._disk.sync_directory(path.parent)
            if self._immutable:
                self._make_immutable(path)
        return Stored()

    def get(self, key: str, *, max_bytes: int, version: str = "") -> bytes:
        with _store_errors(f"{key} could not be read from {self.url}"):
            return _read(self._path(key), key, max_bytes)

    def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
        with _store_errors(f"{self.url}/{prefix} could not be listed"):
            yield from self._scan(prefix, after)

    def last(self, prefix: str) -> Entry | None:
        with _store_errors(f"{self.url}/{prefix} could not be listed"):
            directory = self._root / prefix
            names = (n for n in _names(directory, prefix, "", "") if not n.endswith("/"))
            name = max(names, default="")
            return Entry(prefix + name, _size(directory / name)) if name else None

    def children(self, prefix: str) -> list[str]:
        with _store_errors(f"{self.url}/{prefix} could not be listed"):
            try:
                with os.scandir(self._root / prefix) as entries:
                    return sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
            except (FileNotFoundError, NotADirectoryError):
                return []

    def versions(self, key: str) -> Sequence[str]:
        return [""] if os.path.lexists(self._path(key)) else []

    def lock(self, key: str, version: str) -> Lock | None:
        raise UnknownError(f"{key}: a directory has no Object Lock")

    def preflight(self) -> Iterator[Check]:
        """The nearest directory that is there must be one, and take new names."""
        place = self._root
        while not os.path.lexists(place):
            place = place.parent
        if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
            yield Check("ok", f"{self.url} can be written")
        else:
            yield Check(
                "failed",
                f"{self.url} cannot be written: {place} does not take new files",
                "make it a directory that the daemon may write",
            )

    def _path(self, key: str) -> Path:
        if not key or key.startswith("/") or any(p in ("", ".", "..") for p in key.split("/")):
            raise StoreError(f"{key!r} is not an object's key")
        return self._root / key

    def _check(self, path: Path, key: str, body: bytes) -> None:
        try:
            same = _read(path, key, len(body)) == body
        except FormatError:
            same = False
        if not same:
            raise ConflictError(
                f"{key} is stored already, with other bytes",
                remedy="somebody else writes to this log: find out who before you go on",
            )

    def _make_immutable(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            (flags,) = struct.unpack("l", fcntl.ioctl(fd, _FS_IOC_GETFLAGS, struct.pack("l", 0)))
            if not flags & _FS_IMMUTABLE_FL:
                fcntl.ioctl(fd, _FS_IOC_SETFLAGS, struct.pack("l", flags | _FS_IMMUTABLE_FL))
        except OSError as error:
            raise StoreError(
                f"{path} could not be made immutable: {error.strerror}",
                remedy="give the daemon CAP_LINUX_IMMUTABLE on a file system that knows the flag,"
                " or set store.immutable: false",
            ) from error
        finally:
            os.close(fd)

    def _scan(self, prefix: str, after: str) -> Iterator[Entry]:
        """One directory in key order, page by page, going down where a name is a directory."""
        directory = self._root / prefix
        last = ""
        while True:
            page = heapq.nsmallest(LIST_PAGE, _names(directory, prefix, after, last))
            for name in page:
                if not name.endswith("/"):
                    yield Entry(prefix + name, _size(directory / name))
                elif prefix.count("/") < MAX_DEPTH:
                    yield from self._scan(prefix + name, after)
                else:  # nothing of ours lies so deep; somebody wants to exhaust the stack
                    yield Entry(prefix + name.rstrip("/"), 0)
            if len(page) < LIST_PAGE:
                return
            last = page[-1]


def _names(directory: Path, prefix: str, after: str, last: str) -> Iterator[str]:
    """Names beyond `last`; a directory's ends in its slash, as object stores order keys."""
    try:
        entries = os.scandir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(".tmp"):
                continue
            is_directory = entry.is_dir(follow_symlinks=False)
            name = entry.name + "/" if is_directory else entry.name
            key = prefix + name
            if name > last and (key > after or (is_directory and after.startswith(key))):
                yield name


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, key: str, max_bytes: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"there is no {key}") from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENAMETOOLONG):
            raise FormatError(f"{key} is not a regular file") from error
        raise
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FormatError(f"{key} is not a regular file")
        if status.st_size > max_bytes:
            raise FormatError(f"{key} has {status.st_size} bytes, more than {max_bytes}")
        pieces = []
        left = status.st_size  # not max_bytes, which may be far more than there is
        while left and (piece := os.read(fd, left)):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(fd)


@contextmanager
def _store_errors(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{what}: {error.strerror or error}") from error
