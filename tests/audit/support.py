"""An API server that logs and rotates on demand, and a reader that takes in like the daemon."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import zstandard

from shipper.audit.follow import Finished, Follower, Segment
from shipper.audit.opening import StartAt
from shipper.audit.source import SourceFile
from shipper.model import Notice, SourceSpan

START = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def unzstd(path: Path) -> bytes:
    """What a recording holds."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())


def unpack(archive: Path, into: Path) -> None:
    """Lay down the files of a recorded run, with their times."""
    with tarfile.open(fileobj=io.BytesIO(unzstd(archive))) as tar:
        tar.extractall(into, filter="data")


def event(number: int, at: datetime = START, *, pad: int = 200) -> bytes:
    """A line as the API server writes it, with an audit id of its own."""
    time = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return (
        b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"%016x-%d",'
        b'"stage":"ResponseComplete","requestURI":"/%s","verb":"get","stageTimestamp":"%s"}\n'
    ) % (number * 0x9E3779B97F4A7C15 % 2**64, number, b"x" * pad, time.encode())


class Server:
    """Writes `audit.log` in `directory`, rotates as lumberjack does, on a clock of its own."""

    def __init__(self, directory: Path) -> None:
        self.live = directory / "audit.log"
        self.now = START
        self._file: io.FileIO | None = None
        self._number = 0

    def tick(self, seconds: float = 1.0) -> datetime:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        return self.now

    def write(self, data: bytes) -> bytes:
        """Write to the file that the server has open, whatever that is called by now.

        Returned is what the file has grown by: after a truncation a file that the server has
        created itself (without O_APPEND) goes on at the old offset, behind a hole of NULs.
        """
        if self._file is None:
            self._file = self.live.open("ab", buffering=0)
        before = os.fstat(self._file.fileno()).st_size
        self._file.write(data)
        hole = os.fstat(self._file.fileno()).st_size - before - len(data)
        os.utime(self._file.fileno(), (self.now.timestamp(),) * 2)
        return b"\0" * hole + data

    def log(self, count: int = 1) -> bytes:
        """Write so many events."""
        lines = []
        for _ in range(count):
            self._number += 1
            lines.append(event(self._number, self.tick(0.001)))
        return self.write(b"".join(lines))

    def rotate(self) -> Path:
        """Close, rename, create: what lumberjack does, with an empty new file."""
        self.stop()
        rotated = self.sibling(self.tick())
        if self.live.exists():
            self.live.rename(rotated)
        self._file = self.live.open("xb", buffering=0)
        return rotated

    def sibling(self, at: datetime) -> Path:
        """The name of a file that is rotated at that time."""
        return self.live.with_name(rotated_name(at))

    def stop(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def writes_to_deleted(self) -> bool:
        """Whether the file that the server has open has no name any more."""
        return self._file is not None and os.fstat(self._file.fileno()).st_nlink == 0

    def restart(self) -> None:
        """A new server process: it appends to what the live path names, or creates it."""
        self.stop()
        self._file = self.live.open("ab", buffering=0)


def rotated_name(at: datetime) -> str:
    """What lumberjack calls `audit.log` when it rotates it at that time (UTC)."""
    return f"audit-{at:%Y-%m-%dT%H-%M-%S}.{at.microsecond // 1000:03}.log"


def compress(path: Path) -> Path:
    """What lumberjack's goroutine makes of a rotated file, and `gzip` of any."""
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    shutil.copystat(path, target)
    path.unlink()
    return target


def copytruncate(path: Path, copy: Path) -> None:
    """Outside rotation as logrotate does it."""
    shutil.copy2(path, copy)
    os.truncate(path, 0)


class Reader:
    """Drives a follower as the pipeline does: absorb, close what is finished, seal positions."""

    def __init__(
        self,
        live: Path,
        *,
        start_at: StartAt = "beginning",
        read_bytes: int = 512 * 1024,
        line_bytes: int = 16 * 1024 * 1024,
        position: Sequence[SourceSpan] = (),
        since: datetime | None = None,
    ) -> None:
        self.time = 0.0
        self.follower = Follower(
            live,
            start_at=start_at,
            read_bytes=read_bytes,
            line_bytes=line_bytes,
            monotonic=lambda: self.time,
        )
        self._taken = bytearray()
        self.segments: list[Segment] = []
        self.finished: list[Finished] = []
        self.changed: list[Path] = []
        self.notices: list[Notice] = self.follower.start(position, since)

    @property
    def data(self) -> bytes:
        """All bytes so far."""
        return bytes(self._taken)

    @property
    def reasons(self) -> list[str]:
        """The reasons of all notices, in order."""
        return [notice.reason for notice in self.notices]

    def step(self) -> Segment | Notice | Finished | None:
        """One read, taken in as the pipeline does."""
        got = self.follower.read()
        match got:
            case Segment(source, data, terminated):
                assert data
                assert terminated == data.endswith(b"\n")
                source.absorb(data)
                self._taken += data
                self.segments.append(got)
            case Finished(source, was_live):
                if was_live and not source.unchanged():
                    self.changed.append(source.path)
                source.close()
                self.finished.append(got)
            case Notice():
                self.notices.append(got)
        return got

    def drain(self) -> bytes:
        """Read until there is nothing; returned is what came now."""
        before = len(self._taken)
        while self.step() is not None:
            pass
        return bytes(self._taken[before:])

    def current(self) -> SourceFile:
        """The file being read."""
        source = self.follower.current()
        assert source is not None
        return source

    def position(self) -> list[SourceSpan]:
        """What a manifest sealed now carries as its last source."""
        source = self.follower.current()
        return [source.span(0)] if source is not None else []

    def close(self) -> None:
        """As a daemon that ends."""
        self.follower.close()
