"""`audit-shipper run --once` over the input into S3, against the same into a directory.

Whole processes, start-up and boto3's included, in turn A B A B on the same file in the page cache;
the median of the pairs' ratios. The S3 service is the sink (`bench.sink`), over https on loopback,
a process of its own whose CPU does not count. Both seal into a spool on the same disk; then the
directory store writes and fsyncs each object a second time, where S3 gets two PUTs a batch. Neither
asks guardrail rules, whose cost `bench rules` tells; one more run has the catalog.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.bench import MB, Bench
from bench.daemon import Installation
from bench.process import MIB, Usage
from bench.services import Sink
from bench.table import Row, at_least, at_most, known

_PAIRS = 3


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    log, size = bench.input()
    sink = Sink(bench.directory / "s3-capture-sink")
    bare = {"catalog": "none"}
    directory, s3 = [], []
    with sink.listening():
        for turn in range(1 if bench.quick else _PAIRS):
            bench.say(f"capture into a directory and into S3, pair {turn + 1}")
            directory.append(_capture(bench, log, rules=bare))
            s3.append(_capture(bench, log, rules=bare, store=sink.store))
        bench.say("capture into S3 with the catalog")
        catalog = _capture(bench, log, store=sink.store)
    ratio = statistics.median(
        a.cpu_seconds / b.cpu_seconds for a, b in zip(directory, s3, strict=True)
    )
    per_cpu = [
        statistics.median(size / MB / usage.cpu_seconds for usage in usages)
        for usages in (directory, s3)
    ]
    wall = statistics.median(size / MB / usage.wall_seconds for usage in s3)
    peak = max(usage.peak_rss for usage in s3)
    yield known("the same into a directory, MB per CPU-second", per_cpu[0], "")
    yield known("capture to S3, MB per CPU-second", per_cpu[1], "")
    yield at_least("capture to S3, share of the directory store's", ratio, 0.8, "", digits=2)
    yield at_least("capture to S3, MB per second of wall time", wall, 100, "")
    yield at_most("capture to S3, peak RSS", peak / MIB, 110, "MiB", digits=1)
    yield known("capture to S3, catalog, MB per CPU-second", size / MB / catalog.cpu_seconds, "")
    yield known("capture to S3, catalog, peak RSS", catalog.peak_rss / MIB, "MiB", digits=1)


def _capture(bench: Bench, log: Path, **settings: Any) -> Usage:
    installation = Installation(bench.directory / "s3-capture", log=log, **settings)
    usage = installation.once()
    installation.remove()
    os.sync()  # nobody pays for the other's write-back
    return usage
