"""What the detection languages read of an event: its envelope, its bodies, its time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol


class Source(Protocol):
    """One event. `rules/terms.py` is one."""

    line: bytes

    @property
    def plain(self) -> dict[str, Any]:
        """The event as it was written; empty if the line is not this event alone."""

    @property
    def time(self) -> datetime:
        """Its stageTimestamp."""

    def body(self, name: str) -> Any:
        """`requestObject` or `responseObject` as plain values; walk.MISSING if there is none."""

    def raw_body(self, name: str) -> bytes:
        """The same as it stands in the line; empty if there is none."""
