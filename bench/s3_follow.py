"""As `follow`, with a daemon that ships to S3: over https, to the sink (`bench.sink`).

Once without guardrail rules, whose cost `bench rules` tells, and once as the program comes, with
its catalog.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.bench import Bench
from bench.follow import follow
from bench.process import MIB
from bench.services import Sink
from bench.table import Row, at_most, known, under


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    sink = Sink(bench.directory / "s3-follow")
    with sink.listening():
        bench.say("following, to S3, no rules: idle, then 1,000 events/s")
        bare = follow(bench, store=sink.store, rules={"catalog": "none"})
        bench.say("the same with the catalog")
        full = follow(bench, store=sink.store)
    yield known("following to S3, no rules, share of a core", bare.busy * 100, "%", digits=2)
    yield at_most("following to S3, no rules, peak RSS", bare.peak_rss / MIB, 90, "MiB", digits=1)
    yield known("idle beside S3, no rules, share of a core", bare.idle * 100, "%", digits=2)
    yield known("idle beside S3, no rules, RSS", bare.idle_rss / MIB, "MiB", digits=1)
    yield under("following to S3, catalog, share of a core", full.busy * 100, 5, "%", digits=2)
    yield at_most("following to S3, catalog, peak RSS", full.peak_rss / MIB, 110, "MiB", digits=1)
