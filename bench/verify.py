"""`audit-shipper verify` over the archive that capture made: every signature, hash, link and line.

One process as a person starts it; CPU is user + sys of it and its children, the archive is in the
page cache. Peak memory is given for the largest process, and for all together with shared pages
counted once (PSS, sampled every 50 ms).
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.bench import MB, Bench
from bench.process import MIB
from bench.table import Row, at_least, known

_RUNS = 3


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    installation, size = bench.captured()
    bench.say("verify")
    usages = [installation.verify() for _ in range(1 if bench.quick else _RUNS)]
    per_cpu = statistics.median(size / MB / usage.cpu_seconds for usage in usages)
    wall = statistics.median(size / MB / usage.wall_seconds for usage in usages)
    yield at_least("verify, MB of log per CPU-second", per_cpu, 250, "")
    yield known("verify, MB of log per second of wall time", wall, "")
    peak = max(usage.peak_rss for usage in usages)
    yield known("verify, peak RSS of its largest process", peak / MIB, "MiB", digits=1)
    tree = max(usage.peak_tree_pss for usage in usages)
    yield known("verify, peak memory of all its processes", tree / MIB, "MiB", digits=1)
