"""What the daemon costs beside a live log: 1,000 events/s, and none.

Default configuration. Another process appends real lines, one write(2) each. CPU is the daemon's
own clock (user + sys of all threads, read from the kernel in nanoseconds) between two moments, so
start-up is left out: the idle span starts once what lay in the log is sealed, the busy one two
seconds after the writer's start.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench import corpus
from bench.bench import MB, Bench
from bench.daemon import Installation, SpoolWatch
from bench.process import MIB, cpu_seconds, memory
from bench.replay import TIMES
from bench.table import Row, known, under

_RATE = 1_000
_RAMP_SECONDS = 2.0


class Followed(NamedTuple):
    """Shares are of one core, memory is in bytes."""

    events_per_second: float
    bytes_per_second: float
    busy: float
    rss: int
    peak_rss: int
    idle: float
    idle_rss: int


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    bench.say("following: idle, then 1,000 events/s")
    seen = follow(bench)
    yield known("following, events per second written", seen.events_per_second, "")
    yield known("following, MB per second written", seen.bytes_per_second / MB, "", digits=1)
    yield under("following, share of a core", seen.busy * 100, 4, "%", digits=2)
    yield known("following, RSS", seen.rss / MIB, "MiB", digits=1)
    yield known("following, peak RSS", seen.peak_rss / MIB, "MiB", digits=1)
    yield under("idle, share of a core", seen.idle * 100, 0.3, "%", digits=2)
    yield known("idle, RSS", seen.idle_rss / MIB, "MiB", digits=1)


def follow(bench: Bench, **settings: Any) -> Followed:
    """Watch a daemon with these settings, idle and then busy."""
    installation = Installation(bench.directory / "follow", **settings)
    corpus.write(installation.log, 2 * MB)
    with installation.following() as daemon:
        _await_batch(installation.spool)
        time.sleep(_RAMP_SECONDS)
        idle = _share(daemon.pid, bench.watch_seconds)
        idle_rss = memory(daemon.pid, "VmRSS")
        times = bench.directory / "follow-times"
        with writing(bench.recording(), installation.log, rate=_RATE, times=times):
            time.sleep(_RAMP_SECONDS)
            began, before = time.monotonic_ns(), installation.log.stat().st_size
            busy = _share(daemon.pid, bench.watch_seconds)
            ended, after = time.monotonic_ns(), installation.log.stat().st_size
        rss, peak = memory(daemon.pid, "VmRSS"), memory(daemon.pid, "VmHWM")
    installation.remove()
    written = sum(began <= at < ended for at, _ in TIMES.iter_unpack(times.read_bytes()))
    seconds = (ended - began) / 1e9
    return Followed(
        events_per_second=written / seconds,
        bytes_per_second=(after - before) / seconds,
        busy=busy,
        rss=rss,
        peak_rss=peak,
        idle=idle,
        idle_rss=idle_rss,
    )


@contextmanager
def writing(recording: Path, log: Path, *, rate: float, times: Path) -> Iterator[None]:
    """Another process that appends `recording` to `log`, and notes in `times` when."""
    command = [sys.executable, "-m", "bench.replay", str(recording), str(log)]
    writer = subprocess.Popen([*command, "--rate", str(rate), "--times", str(times)])
    try:
        yield
        if writer.poll() not in (None, 0):
            raise subprocess.CalledProcessError(writer.returncode, command)
    finally:
        writer.send_signal(signal.SIGTERM)
        writer.wait()


def _await_batch(spool: Path) -> None:
    watch = SpoolWatch(spool)
    deadline = time.monotonic() + 30
    while not any(sealed.manifest.data for sealed in watch.poll()):
        if time.monotonic() > deadline:
            raise TimeoutError("the daemon sealed no batch within 30 s")
        time.sleep(0.1)


def _share(pid: int, seconds: float) -> float:
    before, start = cpu_seconds(pid), time.perf_counter()
    time.sleep(seconds)
    return (cpu_seconds(pid) - before) / (time.perf_counter() - start)
