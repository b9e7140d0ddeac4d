"""What a batch's manifest says of its lines: first and last audit id, time span, malformed lines.

No I/O, no state, and no field beyond the envelope: bodies are skipped, never built.
A line is an audit event iff it decodes, its kind is `Event`, its apiVersion starts with
`audit.k8s.io/` and its stageTimestamp is in UTC, which is all that the API server writes. Every
other line is counted as malformed, and archived all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

API_GROUP = "audit.k8s.io/"

_UNDECODABLE = (
    msgspec.MsgspecError,  # not JSON, or not this shape
    ValueError,  # invalid UTF-8 in a field that is read
    RecursionError,  # brackets nested deeper than the interpreter allows: the client's doing
    OverflowError,
)


class Envelope(msgspec.Struct, gc=False):
    """The fields of an audit event that the record needs; unknown fields are skipped."""

    kind: Literal["Event"]
    apiVersion: str  # noqa: N815 - the API's own name
    auditID: Annotated[str, Meta(max_length=64)]  # noqa: N815 - the API server cuts it at 64
    stage: str
    stageTimestamp: Annotated[datetime, Meta(tz=True)]  # noqa: N815 - the API's own name


class EventScan(NamedTuple):
    """What a run of lines holds. All four are None iff no line is an audit event."""

    first_audit_id: str | None
    last_audit_id: str | None
    min_time: datetime | None
    max_time: datetime | None
    malformed: int


EMPTY = EventScan(None, None, None, None, 0)

_decode = msgspec.json.Decoder(Envelope).decode


def envelope(line: bytes) -> Envelope | None:
    """The line's envelope, or None if the line is not an audit event."""
    try:
        event = _decode(line)
    except _UNDECODABLE:
        return None
    known = event.apiVersion.startswith(API_GROUP) and event.stageTimestamp.tzinfo is UTC
    return event if known else None


def scan(lines: Sequence[bytes]) -> EventScan:
    """What `lines` hold, in file order, with or without their newlines. Never raises on bytes.

    The hot path: one decode a line and no other call for a well-formed one in time order.
    """
    decode = _decode
    first = last = low = high = None
    known_version = ""
    malformed = 0
    for line in lines:
        try:
            event = decode(line)
        except _UNDECODABLE:
            malformed += 1
            continue
        if event.apiVersion != known_version:
            if not event.apiVersion.startswith(API_GROUP):
                malformed += 1
                continue
            known_version = event.apiVersion
        time = event.stageTimestamp
        if time.tzinfo is not UTC:  # the API server knows no other zone
            malformed += 1
            continue
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
