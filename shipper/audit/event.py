"""What a batch's manifest says of its lines: first and last audit id, time span, malformed lines.

No I/O, no state, and no field beyond the envelope: bodies are skipped, never built. A line that is
no audit event (`shipper/envelope.py` says what is) is counted as malformed, and archived all the
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from shipper.envelope import Envelope, decode_lines, decode_record


class EventScan(NamedTuple):
    """What a run of lines holds. All four are None iff no line is an audit event."""

    first_audit_id: str | None
    last_audit_id: str | None
    min_time: datetime | None
    max_time: datetime | None
    malformed: int


EMPTY = EventScan(None, None, None, None, 0)


def envelope(line: bytes) -> Envelope | None:
    """The line's envelope, or None if the line is not an audit event."""
    return decode_lines([line], decode_record)[0]


def scan(lines: Sequence[bytes]) -> EventScan:
    """What `lines` hold, in file order, with or without their newlines. Never raises on bytes."""
    return scan_events(decode_lines(lines, decode_record))


def scan_events(events: Sequence[Envelope | None]) -> EventScan:
    """What a run of lines holds, of which each is an event or None: for who decodes them anyway."""
    first = last = low = high = None
    malformed = 0
    for event in events:
        if event is None:
            malformed += 1
            continue
        time = event.stageTimestamp
        if high is None or low is None:
            first, low, high = event, time, time
        # stageTimestamp goes backwards on up to 3.4 % of lines, so both bounds are kept.
        elif time > high:
            high = time
        elif time < low:
            low = time
        last = event
    if first is None or last is None:
        return EventScan(None, None, None, None, malformed)
    return EventScan(first.auditID, last.auditID, low, high, malformed)


def merge(earlier: EventScan, later: EventScan) -> EventScan:
    """The scan of two runs of lines that follow each other."""
    malformed = earlier.malformed + later.malformed
    if earlier.min_time is None or earlier.max_time is None:
        return later._replace(malformed=malformed)
    if later.min_time is None or later.max_time is None:
        return earlier._replace(malformed=malformed)
    return EventScan(
        earlier.first_audit_id,
        later.last_audit_id,
        min(earlier.min_time, later.min_time),
        max(earlier.max_time, later.max_time),
        malformed,
    )
