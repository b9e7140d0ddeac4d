"""The FIFO of sealed records on disk, and the one durable line between the two loops.

    lock                    held while the daemon lives
    000000000123.data       bodies to ship; written first, gone once shipped
    000000000123.sealed     the record; its rename from a temporary name is the only commit
    000000000123.shipped    the same file once everything it names is in the store
    trouble                 what is wrong with the store, for `audit-shipper status`

The newest record never leaves, nor do the manifests of the entry bundle that is not full yet, so
an empty queue still knows its head, its positions and its tree. Knows nothing of what it holds.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shipper.disk import Disk
from shipper.errors import SpoolError
from shipper.model import Record
from shipper.spool import record as files

TROUBLE = "trouble"

_NAME = re.compile(r"(\d{12})\.(sealed|shipped|data)")
_PRIVATE_DIRECTORY = 0o700
_PRIVATE_FILE = 0o600


class Spool:
    """An open, locked spool. `commit` is for one thread, `shipped` for another, `load` for any."""

    def __init__(self, path: Path, *, disk: Disk | None = None) -> None:
        """Open and lock `path`, made if missing; what a crash left half done is removed."""
        self._path = path
        self._disk = disk or Disk()
        self._changing = threading.Lock()
        with _spool_errors(path):
            self._disk.make_directory(path, mode=_PRIVATE_DIRECTORY)
            self._lock = _lock(path / "lock")
            try:
                self._sealed, self._shipped, self._bytes = self._recover()
                # A process may have died between a rename and its fsync. Nobody may ship or tell
                # of a record that a power loss can still take back.
                self._disk.sync_directory(path)
            except BaseException:
                self.close()
                raise
            self._total = sum(self._bytes.values())

    @property
    def size_bytes(self) -> int:
        """What the spool's files take."""
        return self._total

    def newest(self) -> int | None:
        """The newest record's sequence number; None in a new spool."""
        if self._sealed:
            return self._sealed[-1]
        return self._shipped[-1] if self._shipped else None

    def oldest_pending(self, *, after: int = -1) -> int | None:
        """The first record beyond number `after` that is not shipped yet."""
        with self._changing:
            return next((seq for seq in self._sealed if seq > after), None)

    def pending(self) -> int:
        """How many records wait for the store."""
        return len(self._sealed)

    def record_bytes(self, seq: int) -> int:
        """What record `seq` takes on disk."""
        with self._changing:
            return self._bytes[seq]

    def kept(self, seq: int) -> files.RecordFile:
        """The part of record `seq` that stays: manifest, checkpoint, tree."""
        for suffix in ("sealed", "shipped"):
            name = f"{seq:012d}.{suffix}"
            try:
                body = (self._path / name).read_bytes()
            except FileNotFoundError:
                continue
            return files.decode(body, name=name)
        raise SpoolError(f"the spool {self._path} lacks record {seq}", remedy=files.START_ANEW)

    def commit(self, record: Record) -> None:
        """Make `record` durable. Until it returns, `record` may or may not survive a crash.

        After an `OSError` the same record, and only it, may be committed again: the rename may
        have happened and only its fsync failed, and then the data file must not be touched.
        """
        small, data = files.encode(record)
        sealed = self._file(record.seq, "sealed")
        if not sealed.exists():
            if data:
                self._disk.write(self._file(record.seq, "data"), data, mode=_PRIVATE_FILE)
            temporary = self._path / f".{sealed.name}.tmp"
            self._disk.write(temporary, small, mode=_PRIVATE_FILE)
            self._disk.rename(temporary, sealed)
        self._disk.sync_directory(self._path)
        self._account(record.seq, len(small) + len(data))
        with self._changing:
            self._sealed.append(record.seq)

    def load(self, seq: int) -> Record:
        """Record `seq` with its bodies, their hashes checked."""
        small = self.kept(seq)
        path = self._file(seq, "data")
        data = path.read_bytes() if small.before or small.after else b""
        return files.restore(small, data, name=f"{seq:012d}")

    def shipped(self, until: int) -> None:
        """All pending records up to number `until` are in the store whole; drop what is not needed.

        The new names are durable before the data goes: a record that still counts as sealed must
        have its data. After an `OSError` the same call may be repeated.
        """
        with self._changing:
            done = list(itertools.takewhile(lambda seq: seq <= until, self._sealed))
        for seq in done:
            if self._file(seq, "sealed").exists():
                self._disk.rename(self._file(seq, "sealed"), self._file(seq, "shipped"))
        self._disk.sync_directory(self._path)
        for seq in done:
            self._disk.unlink(self._file(seq, "data"))
            self._account(seq, self._file(seq, "shipped").stat().st_size)
            with self._changing:
                self._sealed.popleft()
                self._shipped.append(seq)
        self._prune(self.kept(self.newest() or 0).keep_from)

    def tell(self, trouble: str) -> None:
        """Leave word for `status` of what is wrong with the store; nothing, once it is not."""
        path = self._path / TROUBLE
        with suppress(OSError):  # the daemon's log says it too
            if trouble:
                path.write_text(trouble + "\n", encoding="utf-8")
            else:
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the lock."""
        os.close(self._lock)

    def _file(self, seq: int, suffix: str) -> Path:
        return self._path / f"{seq:012d}.{suffix}"

    def _prune(self, keep_from: int) -> None:
        newest = self.newest()
        while self._shipped and self._shipped[0] < keep_from and self._shipped[0] != newest:
            seq = self._shipped[0]
            self._disk.unlink(self._file(seq, "shipped"))
            self._account(seq, 0)
            self._shipped.popleft()

    def _account(self, seq: int, size: int) -> None:
        with self._changing:
            self._total += size - self._bytes.pop(seq, 0)
            if size:
                self._bytes[seq] = size

    def _recover(self) -> tuple[deque[int], deque[int], dict[int, int]]:
        """Read the directory; remove temporary files and data that no sealed record names."""
        found: dict[str, dict[int, int]] = {"sealed": {}, "shipped": {}, "data": {}}
        with os.scandir(self._path) as entries:
            for entry in entries:
                match = _NAME.fullmatch(entry.name)
                if match:
                    found[match[2]][int(match[1])] = entry.stat().st_size
                elif entry.name.startswith(".") and entry.name.endswith(".tmp"):
                    self._disk.unlink(Path(entry.path))
        for seq in found["data"].keys() - found["sealed"].keys():
            self._disk.unlink(self._file(seq, "data"))
        # Several are marked before the directory is synced, and power may fail in between: what is
        # below a shipped record is shipped, since they go in order.
        newest_shipped = max(found["shipped"], default=-1)
        for seq in sorted(found["sealed"].keys() - found["shipped"].keys()):
            if seq < newest_shipped:
                self._disk.rename(self._file(seq, "sealed"), self._file(seq, "shipped"))
                self._disk.unlink(self._file(seq, "data"))
                found["shipped"][seq] = found["sealed"].pop(seq)
        sealed, shipped = sorted(found["sealed"]), sorted(found["shipped"])
        sizes = {seq: found["shipped"][seq] for seq in shipped}
        for seq in sealed:
            sizes[seq] = found["sealed"][seq] + found["data"].get(seq, 0)
        return deque(sealed), deque(shipped), sizes


def inspect(path: Path) -> tuple[list[int], list[int], int]:
    """Sequence numbers sealed and shipped, and the bytes taken, without lock or change."""
    sealed: list[int] = []
    shipped: list[int] = []
    size = 0
    with _spool_errors(path), os.scandir(path) as entries:
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match is None:
                continue
            with suppress(FileNotFoundError):  # the daemon goes on meanwhile
                size += entry.stat().st_size
            if match[2] != "data":
                (sealed if match[2] == "sealed" else shipped).append(int(match[1]))
    return sorted(sealed), sorted(shipped), size


def _lock(path: Path) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise SpoolError(
            f"another audit-shipper has the spool {path.parent} open",
            remedy="stop it, or give this one a spool of its own",
        ) from error
    return fd


@contextmanager
def _spool_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SpoolError(
            f"the spool {path} cannot be used: {error.strerror or error}",
            remedy="it must be a directory on a local disk that the daemon may write",
        ) from error
