"""One round: verify what is new, and decide who is to be called. Blocking code.

Calls nobody and keeps nothing. What is to be told must be durable in the caller's queue before
`memory` says that it was, and `memory` before the head file: what that has seen is not looked at
again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from shipper.seal.keys import VerifierKey
from shipper.verify import heads
from shipper.verify.archive import verify_archive
from shipper.verify.heads import SeenLog
from shipper.verify.report import Report
from shipper.verify.request import Request
from shipper.verify.workers import Opener
from shipper.watch import memory
from shipper.watch.alarms import alarms
from shipper.watch.memory import Due


class Watched(NamedTuple):
    """What is watched, and how. `ask` makes the request of a round at a moment."""

    open_store: Opener
    keys: Sequence[VerifierKey]
    ask: Callable[[datetime], Request]
    head: Path
    workers: int = 1

    @property
    def memory(self) -> Path:
        """Beside the head file."""
        return self.head.with_name(f"{self.head.name}.alarms")


class Round(NamedTuple):
    """What was found, and what is due of it."""

    report: Report
    seen: Sequence[SeenLog]
    due: Due
    seconds: float


def look(watched: Watched, now: datetime) -> Round:
    """Verify; `ShipperError` if the head file, the memory or a key is not what it should be."""
    began = time.monotonic()
    remembered = memory.load(watched.memory)
    verified = verify_archive(
        watched.open_store,
        watched.keys,
        watched.ask(now),
        now=now,
        seen=heads.load(watched.head),
        workers=watched.workers,
    )
    due = memory.step(remembered, alarms(verified.report), now)
    return Round(verified.report, verified.seen, due, time.monotonic() - began)
