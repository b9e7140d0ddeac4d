"""From a line's write(2) to the moment at which its record is durable, with `max_age: 200ms`.

The writer is a process of its own and notes CLOCK_MONOTONIC just before each write. The bench lists
the daemon's spool every 2 ms; once a new record's name is there it fsyncs that directory itself and
takes the time after that (see `daemon.SpoolWatch`). The record's manifest says up to which offset
it holds the log. So the figure has the poll's 2 ms and one more fsync in it, and trusts nothing
that the daemon says of itself.

A record costs three fsyncs, and at five records a second one stall of the disk in twenty seconds is
the p99. So the same disk is also watched alone, afterwards: three fsyncs of small files, five times
a second, with no daemon running. Their worst says how long this disk can stall by itself.
"""

from __future__ import annotations

import math
import os
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from bench.bench import Bench
from bench.daemon import Installation, Sealed, SpoolWatch
from bench.follow import writing
from bench.replay import TIMES
from bench.table import Row, known, under

_POLL_SECONDS = 0.002
_SETTLE_SECONDS = 1.0
_PROBE_SECONDS = 0.2
_PROBE_BYTES = 40_000


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    for rate in (1_000, 2):
        bench.say(f"latency at {rate:,} events/s")
        ordered = sorted(_delays(bench, rate))
        name = f"latency at {rate:,} events/s"
        yield known(f"{name}, lines", len(ordered), "")
        yield known(f"{name}, p50", quantile(ordered, 0.5), "ms")
        yield under(f"{name}, p99", quantile(ordered, 0.99), 300, "ms")
        yield known(f"{name}, worst", ordered[-1], "ms")
    bench.say("the disk alone")
    stalls = sorted(_disk_alone(bench))
    yield known("three fsyncs without the daemon, p50", quantile(stalls, 0.5), "ms", digits=1)
    yield known("three fsyncs without the daemon, worst", stalls[-1], "ms")


def _delays(bench: Bench, rate: int) -> list[float]:
    """Milliseconds, one for each line."""
    installation = Installation(bench.directory / "latency", batch={"max_age": "200ms"})
    times = bench.directory / "latency-times"
    records: list[Sealed] = []
    with installation.following():
        watch = SpoolWatch(installation.spool, durable=True)
        time.sleep(_SETTLE_SECONDS)
        watch.poll()  # the genesis
        with writing(bench.recording(), installation.log, rate=rate, times=times):
            _watch(watch, records, bench.watch_seconds)
        _watch(watch, records, _SETTLE_SECONDS)
    installation.remove()
    ends = [(r.manifest.sources[-1].end, r.durable_ns) for r in records if r.manifest.data]
    return delays(ends, times.read_bytes())


def _watch(watch: SpoolWatch, records: list[Sealed], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        records += watch.poll()
        time.sleep(_POLL_SECONDS)


def delays(records: list[tuple[int, int]], times: bytes) -> list[float]:
    """The milliseconds of each line in `times`, as `bench.replay` notes them.

    A record is the offset up to which it holds the log, and when it was seen. A line's is the first
    that holds the log beyond the line's end; a line without one counts as late, not as absent.
    """
    ends = [end for end, _ in records]
    found = []
    for written_ns, end in TIMES.iter_unpack(times):
        record = bisect_left(ends, end)
        late = record == len(ends)
        found.append(math.inf if late else (records[record][1] - written_ns) / 1e6)
    return found


def _disk_alone(bench: Bench) -> Iterator[float]:
    """Milliseconds that two new files and their directory take to become durable."""
    directory = bench.directory / "probe"
    directory.mkdir()
    deadline = time.monotonic() + bench.watch_seconds
    while time.monotonic() < deadline:
        start = time.monotonic_ns()
        for name in ("data", "record"):
            _durable(directory / f"{start}-{name}", os.O_WRONLY | os.O_CREAT, bytes(_PROBE_BYTES))
        _durable(directory, os.O_RDONLY | os.O_DIRECTORY, b"")
        yield (time.monotonic_ns() - start) / 1e6
        time.sleep(_PROBE_SECONDS)


def _durable(path: Path, flags: int, body: bytes) -> None:
    fd = os.open(path, flags, 0o600)
    try:
        if body:
            os.write(fd, body)
        os.fsync(fd)
    finally:
        os.close(fd)


def quantile(ordered: list[float], share: float) -> float:
    """The nearest-rank quantile."""
    return ordered[math.ceil(share * len(ordered)) - 1]
