"""One line on standard error while an archive is gone through, if that is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from shipper.verify.request import Progress as Told


@contextmanager
def shown_progress() -> Iterator[Told]:
    """A function to tell the progress to; the line goes with the context."""
    if not sys.stderr.isatty():
        yield lambda _log, _manifests, _raw_bytes: None
        return
    began, counts = time.monotonic(), dict[str, tuple[int, int]]()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("looking for logs")

        def told(log: str, manifests: int, raw_bytes: int) -> None:
            counts[log] = (manifests, raw_bytes)
            total, size = map(sum, zip(*counts.values(), strict=True))
            rate = size / 1e6 / max(0.001, time.monotonic() - began)
            shown.update(
                task,
                description=f"{len(counts)} logs, {total:,} manifests,"
                f" {size / 1e6:,.0f} MB of events ({rate:,.0f} MB/s)",
            )

        yield told
