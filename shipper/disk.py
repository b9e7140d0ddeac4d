"""The durable steps: every system call that a crash may fall between, in one place.

Spool and directory store reach the disk through this class alone, so that a test can stop the
process before, inside and after each step. Durable means: write, fsync the file, rename (or link),
fsync the directory. After a failed fsync the page cache may be clean and the data lost, so a step
that failed is never resumed: the whole file is written again
(https://wiki.postgresql.org/wiki/Fsync_Errors).
"""

from __future__ import annotations

import os
from pathlib import Path


class Disk:
    """The real thing. Each method is one durable step; all raise `OSError`."""

    def write(self, path: Path, body: bytes, *, mode: int) -> None:
        """Create `path` with `body` and fsync it. A leftover of an earlier try is replaced.

        Stops before: nothing. Inside: a file of any length under a temporary name. After: durable
        bytes under a name that nobody reads until it is renamed or linked.
        """
        path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(path, flags, 0o600)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(fd, view) :]
            os.fchmod(fd, mode)
            os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Give `source` the name `target`, replacing it: either the old name or the new one."""
        os.rename(source, target)

    def replace(self, path: Path, body: bytes, *, mode: int) -> None:
        """The file at `path` becomes `body`, in three steps: a crash leaves the old one or the new.

        For one writer at a time; what a crash left beside it is replaced as well.
        """
        temporary = path.with_name(f".{path.name}.tmp")
        self.write(temporary, body, mode=mode)
        self.rename(temporary, path)
        self.sync_directory(path.parent)

    def link(self, source: Path, target: Path) -> None:
        """Give `source` a second name; `FileExistsError` if `target` is taken."""
        os.link(source, target)

    def unlink(self, path: Path) -> None:
        """Remove a name; one that is gone already is fine."""
        path.unlink(missing_ok=True)

    def make_directory(self, path: Path, *, mode: int) -> None:
        """Create `path` and its parents, each made durable in the directory that holds it."""
        missing = []
        while not path.is_dir():
            missing.append(path)
            path = path.parent
        for directory in reversed(missing):
            directory.mkdir(mode=mode, exist_ok=True)
            self.sync_directory(directory.parent)

    def sync_directory(self, path: Path) -> None:
        """Make the names in `path` durable."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
