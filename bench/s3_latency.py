"""From a line's write(2) until its manifest lies in a real store, locked, with `max_age: 200ms`.

The writer is a process of its own and notes CLOCK_MONOTONIC just before each write. The bench sees
a record's name in the daemon's spool, and from then on asks the gateway for the retention of that
manifest's key, with pauses of 10 ms, until it names one; the time after that answer counts. The
answer proves that the object is there and how it is locked, and trusts nothing that the daemon says
of itself. It is an upper bound: a pause and a question are in it, and the questions take CPU from
the daemon and the gateway, on the same machine.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from bench.bench import Bench
from bench.daemon import Installation, Sealed, SpoolWatch
from bench.follow import writing
from bench.latency import delays, quantile
from bench.process import ProgramFailedError
from bench.services import gateway
from bench.table import Row, known, under
from shipper.seal.layout import log_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PAUSE_SECONDS = 0.01
_SETTLE_SECONDS = 3.0
_RETENTION = timedelta(days=400)
"""The program's default."""


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    bench.say("starting a gateway")
    with gateway(bench) as (ceph, store):
        for rate in (1_000, 2):
            bench.say(f"latency to a locked manifest at {rate:,} events/s")
            watch = _LockWatch(ceph.client(), store["url"])
            ordered = sorted(_delays(bench, watch, rate=rate, store=store))
            name = f"write to locked manifest at {rate:,} events/s"
            yield known(f"{name}, lines", len(ordered), "")
            yield known(f"{name}, p50", quantile(ordered, 0.5), "ms")
            yield under(f"{name}, p99", quantile(ordered, 0.99), 1_000, "ms")
            yield known(f"{name}, worst", ordered[-1], "ms")
            yield known(f"{name}, one question, p50", quantile(sorted(watch.asked), 0.5), "ms")


def _delays(bench: Bench, watch: _LockWatch, *, rate: float, store: dict[str, Any]) -> list[float]:
    """Milliseconds, one for each line."""
    installation = Installation(
        bench.directory / "s3-latency", batch={"max_age": "200ms"}, store=store
    )
    times = bench.directory / "s3-latency-times"
    spool = SpoolWatch(installation.spool)
    with installation.following():
        watch.look_for(spool, _SETTLE_SECONDS)  # the genesis
        with writing(bench.recording(), installation.log, rate=rate, times=times):
            watch.look_for(spool, bench.watch_seconds)
        watch.look_for(spool, _SETTLE_SECONDS)
    installation.remove()
    return delays(watch.locked, times.read_bytes())


class _LockWatch:
    """Asks a gateway about the manifests of one log, in the order in which they were sealed."""

    def __init__(self, client: S3Client, url: str) -> None:
        self._client = client
        self._bucket, _, self._prefix = url.removeprefix("s3://").partition("/")
        self._waiting: deque[Sealed] = deque()
        self.locked: list[tuple[int, int]] = []
        """Up to which offset a manifest holds the log, and when its lock was read (ns)."""
        self.asked: list[float] = []
        """How long each question took, in ms."""

    def look_for(self, spool: SpoolWatch, seconds: float) -> None:
        """Look on for that long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._waiting += spool.poll()
            while self._waiting and self._is_locked(self._waiting[0]):
                manifest = self._waiting.popleft().manifest
                if manifest.data is not None:
                    self.locked.append((manifest.sources[-1].end, time.monotonic_ns()))
            time.sleep(_PAUSE_SECONDS)

    def _is_locked(self, sealed: Sealed) -> bool:
        key = f"{self._prefix}/{log_prefix(sealed.manifest.log)}{sealed.key}"
        began = time.monotonic_ns()
        try:
            answer = self._client.get_object_retention(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise ProgramFailedError(f"the lock of {key}: {error}") from error
            return False
        finally:
            self.asked.append((time.monotonic_ns() - began) / 1e6)
        lock = answer["Retention"]
        until = sealed.manifest.time.wall + _RETENTION
        if lock["Mode"] != "COMPLIANCE" or lock["RetainUntilDate"] < until:
            raise ProgramFailedError(f"{key} is locked as {lock}, weaker than configured")
        return True
