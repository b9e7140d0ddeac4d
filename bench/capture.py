"""`audit-shipper run --once` over the input, against the least work that the job takes.

Whole processes, start-up included, in turn A B A B on the same file in the page cache, each into an
empty directory on the same disk; the median of the pairs' ratios. MB per CPU-second is raw log over
user + sys. Peak memory is the process's largest resident set, over 100 MB and over the whole input.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import corpus
from bench.bench import MB, Bench
from bench.daemon import Installation
from bench.process import MIB, Usage, measure
from bench.table import Row, at_least, at_most, known

_PAIRS = 3
_SMALL_BYTES = 100 * MB


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    log, size = bench.input()
    least, capture = [], []
    for turn in range(1 if bench.quick else _PAIRS):
        bench.say(f"capture, pair {turn + 1}")
        least.append(_least(bench, log))
        capture.append(_capture(bench, log))
    ratio = statistics.median(
        a.cpu_seconds / b.cpu_seconds for a, b in zip(least, capture, strict=True)
    )
    yield known("the least work, MB per CPU-second", _per_cpu(size, least), "", digits=0)
    yield at_least("capture, MB per CPU-second", _per_cpu(size, capture), 150, "")
    yield at_least("capture, share of the least work", ratio, 0.8, "", digits=2)
    wall = statistics.median(size / MB / usage.wall_seconds for usage in capture)
    yield at_least("capture, MB per second of wall time", wall, 120, "")
    peak = max(usage.peak_rss for usage in capture)
    yield at_most(f"capture, peak RSS over {size // MB:,} MB", peak / MIB, 72, "MiB", digits=1)
    yield known("capture, peak RSS over 100 MB", _small(bench) / MIB, "MiB", digits=1)


def _least(bench: Bench, log: Path) -> Usage:
    directory = bench.directory / "least"
    directory.mkdir()
    command = [sys.executable, "-m", "bench.least", str(log), str(directory)]
    usage = measure(command, log=bench.directory / "least-output")
    shutil.rmtree(directory)
    os.sync()  # nobody pays for the other's write-back
    return usage


def _capture(bench: Bench, log: Path) -> Usage:
    installation = Installation(bench.directory / "capture", log=log)
    usage = installation.once()
    installation.remove()
    os.sync()
    return usage


def _small(bench: Bench) -> int:
    installation = Installation(bench.directory / "small")
    corpus.write(installation.log, _SMALL_BYTES)
    usage = installation.once()
    installation.remove()
    return usage.peak_rss


def _per_cpu(size: int, usages: list[Usage]) -> float:
    return statistics.median(size / MB / usage.cpu_seconds for usage in usages)
