"""Time as the record knows it. What decides takes a `Timestamp`; only this file reads clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from shipper.model import Timestamp

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> Timestamp:
        """The wall clock (UTC), the boot's id, and the boot's monotonic clock in ns."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._boot_id = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""

    def now(self) -> Timestamp:
        # CLOCK_BOOTTIME goes on while the machine is suspended; CLOCK_MONOTONIC does not.
        return Timestamp(
            wall=datetime.now(UTC),
            boot_id=self._boot_id,
            monotonic_ns=time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        )
