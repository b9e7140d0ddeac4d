"""How fast a backlog drains: 10,000 batches of 64 KiB, sealed while nobody listened.

`run --once` seals the backlog while the store's port is closed, and gives up after a second. Then
the sink listens, and the same command runs again: batches over the whole process's wall time, its
start included. A batch is two PUTs, its data and its manifest, and manifests go one after the
other, so that the way to the store is a bound of its own: a small backlog is drained once more with
answers that come 20 ms late.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench import corpus
from bench.bench import Bench
from bench.daemon import Installation
from bench.process import MIB, ProgramFailedError, Usage
from bench.services import Sink
from bench.table import Row, at_least, known
from shipper.spool.spool import inspect

_BATCHES = 10_000
_FEW = 500
_BATCH_BYTES = 64 * 1024
"""The smallest that the configuration allows."""
_FAR_SECONDS = 0.02
_COULD_NOT_SHIP = 3


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    whole = _FEW if bench.quick else _BATCHES
    sink = Sink(bench.directory / "backlog-sink")
    count, usage = _drained(bench, sink, whole)
    name = f"a backlog of {count:,} batches"
    yield at_least(f"{name}, per second", count / usage.wall_seconds, 300, "")
    yield known(f"{name}, CPU per batch", usage.cpu_seconds / count * 1e3, "ms", digits=2)
    yield known(f"{name}, peak RSS", usage.peak_rss / MIB, "MiB", digits=1)
    count, usage = _drained(bench, sink, _FEW, delay_seconds=_FAR_SECONDS)
    yield known("a backlog, answers 20 ms late, batches per second", count / usage.wall_seconds, "")


def _drained(
    bench: Bench, sink: Sink, wanted: int, *, delay_seconds: float = 0.0
) -> tuple[int, Usage]:
    """How many records there were, and what shipping them cost."""
    bench.say(f"sealing a backlog of {wanted:,} batches")
    bench.need(wanted * _BATCH_BYTES * 2)
    installation = Installation(
        bench.directory / "backlog",
        store=sink.store,
        batch={"max_bytes": f"{_BATCH_BYTES // 1024}KiB"},
        shutdown={"drain": "1s"},
    )
    corpus.write(installation.log, wanted * _BATCH_BYTES)
    installation.once(expected=_COULD_NOT_SHIP)
    sealed, shipped, _ = inspect(installation.spool)
    if shipped:
        raise ProgramFailedError("the backlog was shipped before the clock was started")
    bench.say("draining it")
    with sink.listening(delay_seconds=delay_seconds):
        usage = installation.once()
    installation.remove()
    return len(sealed), usage
