"""As `follow`, with a daemon that ships to S3: over https, to the sink (`bench.sink`)."""

from __future__ import annotations

from collections.abc import Iterator

from bench.bench import Bench
from bench.follow import follow
from bench.process import MIB
from bench.services import Sink
from bench.table import Row, at_most, known


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    bench.say("following, to S3: idle, then 1,000 events/s")
    sink = Sink(bench.directory / "s3-follow")
    with sink.listening():
        seen = follow(bench, store=sink.store)
    yield known("following to S3, share of a core", seen.busy * 100, "%", digits=2)
    yield at_most("following to S3, peak RSS", seen.peak_rss / MIB, 90, "MiB", digits=1)
    yield known("idle beside S3, share of a core", seen.idle * 100, "%", digits=2)
    yield known("idle beside S3, RSS", seen.idle_rss / MIB, "MiB", digits=1)
