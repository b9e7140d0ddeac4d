"""Play a recording into a live audit log, with the rotations of a real API server.

    python -m bench.replay RECORDING TARGET [--rate EVENTS_PER_SECOND] [--rotate-bytes N]

Appends each line of RECORDING (plain, or `.zst`) to TARGET with one write(2), as the API server
does, and ends at the recording's end. With --rotate-bytes the log rotates as lumberjack does it,
and backups are gzipped in the background. Nothing is ever deleted: who starts late finds all.
Ctrl-C and SIGTERM end it between two lines.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import shutil
import signal
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Self

import zstandard

HUMAN_RATE = 200.0
"""Events a second: fast enough to see something happen, slow enough to follow."""

TIMES = struct.Struct("<QQ")
"""A line of --times: CLOCK_MONOTONIC in ns just before the write, the file's size after it."""


class LiveLog:
    """An audit log as kube-apiserver (lumberjack) writes it. Use from one thread, `gzip_oldest`
    from any."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        # lumberjack opens a file that exists with O_APPEND, and one that it makes without: an
        # outside copytruncate works until the server's first own rotation and leaves NULs after it.
        exists = os.O_APPEND if path.exists() else os.O_TRUNC
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | exists, 0o600)
        self.size = os.fstat(self._fd).st_size
        """What the writer believes to be in the file: an outside truncation does not change it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, line: bytes) -> None:
        """One write of `line`, which brings its own newline."""
        self.size += os.write(self._fd, line)

    def rotate(self) -> Path:
        """Close, rename to the UTC time with milliseconds, create anew. Returns the backup."""
        os.close(self._fd)
        backup = self._free_backup()
        os.rename(self.path, backup)
        self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self.size = 0
        return backup

    def backups(self) -> list[Path]:
        """Rotated files that are not compressed yet, oldest first."""
        pattern = f"{self.path.stem}-????-??-??T??-??-??.???{self.path.suffix}"
        return sorted(self.path.parent.glob(pattern))

    def gzip_oldest(self) -> Path | None:
        """Compress the oldest plain backup: write `X.log.gz`, then remove `X.log`."""
        for backup in self.backups()[:1]:
            target = backup.with_name(backup.name + ".gz")
            fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with (
                backup.open("rb") as source,
                os.fdopen(fd, "wb") as raw,
                gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6) as packed,
            ):
                shutil.copyfileobj(source, packed, 64 * 1024)
            backup.unlink()
            return target
        return None

    def copytruncate(self) -> Path:
        """What logrotate does from outside: copy the live file to `audit.log.N`, then empty it."""
        number = 1
        while (copy := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        shutil.copyfile(self.path, copy)
        os.truncate(self.path, 0)
        return copy

    def close(self) -> None:
        """Close the live file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _free_backup(self) -> Path:
        """A name that is not taken: lumberjack would overwrite a backup of the same millisecond."""
        while True:
            now = datetime.now(UTC)
            stamp = f"{now:%Y-%m-%dT%H-%M-%S}.{now.microsecond // 1000:03d}"
            backup = self.path.with_name(f"{self.path.stem}-{stamp}{self.path.suffix}")
            if not backup.exists() and not backup.with_name(backup.name + ".gz").exists():
                return backup
            time.sleep(0.001)


def read_lines(recording: Path) -> Iterator[bytes]:
    """The recording's lines with their newlines; memory does not grow with it."""
    if recording.suffix == ".zst":
        with zstandard.open(recording, "rb") as stream:
            yield from io.BufferedReader(stream, 1024 * 1024)
    else:
        with recording.open("rb") as file:
            yield from file


def play(
    lines: Iterable[bytes],
    log: LiveLog,
    *,
    rate: float,
    rotate_bytes: int = 0,
    times: BinaryIO | None = None,
) -> int:
    """Append `lines` at `rate` a second; returns how many. 0 as `rate`: as fast as possible."""
    compressing: threading.Thread | None = None
    began = time.monotonic()
    count = 0
    try:
        for line in lines:
            if rotate_bytes and log.size and log.size + len(line) > rotate_bytes:
                log.rotate()
                if compressing is None or not compressing.is_alive():
                    compressing = threading.Thread(target=_gzip_all, args=(log,), name="gzip")
                    compressing.start()
            ahead = began + count / rate - time.monotonic() if rate else 0.0
            if ahead > 0:
                time.sleep(ahead)
            before = time.monotonic_ns()
            log.append(line)
            count += 1
            if times is not None:
                times.write(TIMES.pack(before, log.size))
    finally:
        if compressing is not None:
            compressing.join()
    return count


def _gzip_all(log: LiveLog) -> None:
    while log.gzip_oldest():
        pass


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--rate", type=float, default=HUMAN_RATE, help="events a second")
    parser.add_argument("--rotate-bytes", type=int, default=0, help="rotate at this size")
    parser.add_argument("--times", type=Path, help="note the time of each write in this file")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _stop)
    with suppress(KeyboardInterrupt), LiveLog(given.target) as log:
        times = given.times.open("wb") if given.times else None
        try:
            play(
                read_lines(given.recording),
                log,
                rate=given.rate,
                rotate_bytes=given.rotate_bytes,
                times=times,
            )
        finally:
            if times is not None:
                times.close()


if __name__ == "__main__":
    main()
