"""What every benchmark gets: a temporary directory, the input in it, and how much of it to use."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import corpus
from bench.daemon import Installation

MB = 10**6
"""Megabytes are powers of ten throughout, as in other shippers' figures."""


_REPLAYED_BYTES = 150 * MB


class NoRoomError(Exception):
    """The temporary directory's disk has too little space."""


class Bench:
    """The place and the scale of one call of `python -m bench`."""

    def __init__(self, directory: Path, *, quick: bool, full: bool) -> None:
        self.directory = directory
        self.quick = quick
        self.full = full
        self._input: tuple[Path, int] | None = None
        self._recording: Path | None = None
        self._captured: Installation | None = None

    @property
    def input_bytes(self) -> int:
        """How much log the throughput is measured on."""
        return 128 * 1024 * 1024 if self.quick else 1024**3

    @property
    def watch_seconds(self) -> float:
        """How long a running daemon is watched."""
        return 8.0 if self.quick else 20.0

    def input(self) -> tuple[Path, int]:
        """The audit log of `input_bytes` and its true size; made once."""
        if self._input is None:
            self.need(self.input_bytes * 2)
            self.say(f"writing {self.input_bytes // MB} MB of input")
            path = self.directory / "input" / "audit.log"
            path.parent.mkdir()
            self._input = path, corpus.write(path, self.input_bytes)
        return self._input

    def recording(self) -> Path:
        """Lines enough for a minute of 1,000 events/s, to be replayed; made once."""
        if self._recording is None:
            self.need(_REPLAYED_BYTES * 2)
            self._recording = self.directory / "replayed.log"
            corpus.write(self._recording, _REPLAYED_BYTES)
        return self._recording

    def captured(self) -> tuple[Installation, int]:
        """An installation that has archived the input, and the input's size; made once."""
        log, size = self.input()
        if self._captured is None:
            self.say("archiving the input")
            self._captured = Installation(self.directory / "captured", log=log)
            self._captured.once()
        return self._captured, size

    def need(self, size: int) -> None:
        """Refuse to go on without `size` bytes of free disk."""
        free = shutil.disk_usage(self.directory).free
        if free < size:
            raise NoRoomError(
                f"{self.directory} has {free // MB:,} MB free and this needs {size // MB:,} MB;"
                " set BENCH_DIR to a directory on a larger local disk"
            )

    def say(self, what: str) -> None:
        """A line of progress, beside the table."""
        print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr, flush=True)


@contextmanager
def prepared(*, quick: bool, full: bool) -> Iterator[Bench]:
    """A bench in a temporary directory below BENCH_DIR, or the system's own; removed at the end."""
    parent = os.environ.get("BENCH_DIR")
    with tempfile.TemporaryDirectory(prefix="audit-shipper-bench-", dir=parent) as directory:
        yield Bench(Path(directory), quick=quick, full=full)
