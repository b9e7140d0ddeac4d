"""Peak memory of the daemon while 10 GB pass through it (`--full`; otherwise 1 GB).

A live log is written as fast as the daemon seals it, at most 256 MB ahead, and rotates every
128 MiB; each file begins with a line of its own. Backups are removed once they are sealed, so that
little disk is used. The peak (VmHWM) is noted after the first 100 MB and at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bench import corpus
from bench.bench import MB, Bench
from bench.daemon import Installation, SpoolWatch
from bench.process import MIB, memory
from bench.replay import LiveLog
from bench.table import Row, at_most

_ROTATE_BYTES = 128 * MIB
_AHEAD_BYTES = 256 * MB
_EARLY_BYTES = 100 * MB
_BACKUPS = 4
_STALL_SECONDS = 60.0


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    total = 10_000 * MB if bench.full else 1_000 * MB
    bench.need(total // 8 + 2_000 * MB)
    bench.say(f"memory over {total // MB:,} MB")
    installation = Installation(bench.directory / "memory")
    early = 0
    with installation.following() as daemon, LiveLog(installation.log) as log:
        flow = _Flow(log, SpoolWatch(installation.spool))
        for block in corpus.blocks(total):
            flow.append(block)
            if not early and flow.sealed > _EARLY_BYTES:
                early = memory(daemon.pid, "VmHWM")
        flow.drain()
        late = memory(daemon.pid, "VmHWM")
    installation.remove()
    yield at_most("following, peak RSS after 100 MB", early / MIB, 72, "MiB", digits=1)
    yield at_most(f"following, peak RSS after {total // MB:,} MB", late / MIB, 72, "MiB", digits=1)


class _Flow:
    """Writes blocks of lines, never far ahead of what the daemon has sealed."""

    def __init__(self, log: LiveLog, watch: SpoolWatch) -> None:
        self._log = log
        self._watch = watch
        self._files = 0
        self._moved = time.monotonic()
        self.written = 0
        self.sealed = 0

    def append(self, block: bytes) -> None:
        if not self._log.size or self._log.size + len(block) > _ROTATE_BYTES:
            self._next_file()
        self._write(block)
        while self.written - self.sealed > _AHEAD_BYTES:
            self._look()

    def drain(self) -> None:
        while self.sealed < self.written:
            self._look()

    def _next_file(self) -> None:
        if self._log.size:
            self._log.rotate()
        for backup in self._log.backups()[:-_BACKUPS]:
            backup.unlink()
        self._files += 1
        self._write(_first_line(self._files))

    def _write(self, data: bytes) -> None:
        self._log.append(data)
        self.written += len(data)

    def _look(self) -> None:
        time.sleep(0.02)
        for sealed in self._watch.poll():
            self._moved = time.monotonic()
            if sealed.manifest.data is not None:
                self.sealed += sealed.manifest.data.raw_size
        if time.monotonic() - self._moved > _STALL_SECONDS:
            raise TimeoutError(f"the daemon sealed nothing for {_STALL_SECONDS:.0f} s")


def _first_line(number: int) -> bytes:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    return (
        '{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata",'
        f'"auditID":"00000000-0000-4000-8000-{number:012d}","stage":"ResponseComplete",'
        f'"requestURI":"/healthz","verb":"get","stageTimestamp":"{now}"}}\n'
    ).encode()
