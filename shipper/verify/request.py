"""What is asked of a verification. Values only; they travel to the worker processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from shipper.store.base import LockMode
from shipper.verify.report import Depth

Progress = Callable[[str, int, int], None]
"""Told now and then: the log, the manifests and the raw bytes verified so far."""


class Window(NamedTuple):
    """From when to when the data is to be read; None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, wall: datetime) -> bool:
        """Whether a batch sealed at `wall` lies in it."""
        after = self.since is None or wall >= self.since
        return after and (self.until is None or wall <= self.until)


class Numbers(NamedTuple):
    """Manifests `first` to `last`; None is open."""

    first: int = 0
    last: int | None = None


class Retention(NamedTuple):
    """How every object version must be locked. COMPLIANCE is enough where GOVERNANCE is asked."""

    until: datetime
    mode: LockMode = "COMPLIANCE"


class Request(NamedTuple):
    """How to verify. `origin`: this log alone; `max_age_seconds`, `retention`: None is not asked.

    `retired`: logs that have come to their end: nobody asks how fresh they are. `again`: verify
    everything, also what the head file says was verified. `numbers`: only these manifests and their
    data, nothing of the tree.
    """

    depth: Depth = "full"
    origin: str | None = None
    window: Window = Window()
    max_age_seconds: float | None = None
    retired: frozenset[str] = frozenset()
    retention: Retention | None = None
    again: bool = False
    numbers: Numbers | None = None
