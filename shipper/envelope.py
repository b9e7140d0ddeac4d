"""What makes a line an audit event, decided in one decode that serves the record and the rules.

No I/O, no state: bytes in, values out, and nothing is raised on bytes. A line is an audit event iff
it decodes, its kind is `Event`, its apiVersion starts with `audit.k8s.io/` and its stageTimestamp
is in UTC, which is all that the API server writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

API_GROUP = "audit.k8s.io/"

UNDECODABLE = (
    msgspec.MsgspecError,  # not JSON, or not this shape
    ValueError,  # invalid UTF-8 in a field that is read
    RecursionError,  # brackets nested deeper than the interpreter allows: the client's doing
    OverflowError,
)
"""All that a msgspec decoder raises on bytes."""


class Envelope(msgspec.Struct, gc=False):
    """The fields of an audit event that the record needs; unknown fields are skipped."""

    kind: Literal["Event"]
    apiVersion: str  # noqa: N815 - the API's own name
    auditID: Annotated[str, Meta(max_length=64)]  # noqa: N815 - the API server cuts it at 64
    stage: str
    stageTimestamp: Annotated[datetime, Meta(tz=True)]  # noqa: N815 - the API's own name


E = TypeVar("E", bound=Envelope)

Decode = Callable[[bytes], E]

decode_record: Decode[Envelope] = msgspec.json.Decoder(Envelope).decode


def decode_lines(lines: Sequence[bytes], decode: Decode[E]) -> list[E | None]:
    """The event in each line, with or without its newline; None for a line that is none.

    The hot path: one decode a line and no other call for a well-formed one.
    """
    found: list[E | None] = []
    known_version = ""
    for line in lines:
        try:
            event = decode(line)
        except UNDECODABLE:
            found.append(None)
            continue
        if event.apiVersion != known_version:
            if not event.apiVersion.startswith(API_GROUP):
                found.append(None)
                continue
            known_version = event.apiVersion
        # The API server knows no other zone than UTC.
        found.append(event if event.stageTimestamp.tzinfo is UTC else None)
    return found
