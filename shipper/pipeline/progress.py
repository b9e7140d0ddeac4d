"""What the two loops have done so far, for whoever shows it. Counts; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """Written by the loops, read by the terminal line."""

    events: int = 0
    bytes_read: int = 0
    sealed_seq: int = -1
    shipped_seq: int = -1
    head: str = ""
    pending: int = 0
    oldest_pending_ns: int | None = None
    trouble: str = ""
    weak: str = ""
