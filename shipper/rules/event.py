"""An audit event as the rules see it: the envelope decoded once, bodies and lists left as raw JSON.

Never raises on bytes. A line that is an audit event by `shipper/envelope.py` is one here too,
whatever the types of its other fields: the wrong ones count as left out, and the event is odd.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Raw

from shipper.envelope import UNDECODABLE, Envelope, decode_lines, decode_record

EMPTY = Raw(b"")

EVENT_START = b'{"kind":"Event","apiVersion":"audit.k8s.io/'
"""How the API server begins a line."""

MAX_STARTS = 8
"""How many events are looked for in a line that is none: one for each crash in a row."""

# ruff: noqa: N815 - the fields have the API's own names


class User(msgspec.Struct, frozen=True, gc=False):
    """Who asked, or as whom."""

    username: str = ""
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Raw = EMPTY


class ObjectRef(msgspec.Struct, frozen=True, gc=False):
    """Which object."""

    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    apiGroup: str = ""
    apiVersion: str = ""
    uid: str = ""
    resourceVersion: str = ""


class Status(msgspec.Struct, frozen=True, gc=False):
    """The answer."""

    code: int = 0
    status: str = ""
    reason: str = ""
    message: str = ""


class Event(Envelope, gc=False):
    """The whole event; what is Raw is decoded when an expression asks for it."""

    level: str = ""
    verb: str = ""
    requestURI: str = ""
    user: User = User()
    impersonatedUser: Raw = EMPTY
    sourceIPs: Raw = EMPTY
    userAgent: str = ""
    objectRef: ObjectRef | None = None
    responseStatus: Status | None = None
    requestObject: Raw = EMPTY
    responseObject: Raw = EMPTY
    requestReceivedTimestamp: str = ""
    annotations: Raw = EMPTY


class OddEvent(Event, gc=False):
    """An event with a field of a type that the API server never writes."""


T = TypeVar("T")

_decode = msgspec.json.Decoder(Event).decode
_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_user = msgspec.json.Decoder(User).decode


def decode_events(lines: Sequence[bytes]) -> list[Event | None]:
    """The event in each line, None for a line that is none."""
    events = decode_lines(lines, _decode)
    for number, event in enumerate(events):
        if event is None:
            events[number] = _odd(lines[number])
    return events


def recover(line: bytes) -> list[Event]:
    """The whole events in a line that is none: an API server that restarts appends to a torn line.

    Bounded: at most `MAX_STARTS` places are tried.
    """
    starts: list[int] = []
    at = line.find(EVENT_START)
    while at >= 0 and len(starts) < MAX_STARTS:
        starts.append(at)
        at = line.find(EVENT_START, at + 1)
    found: list[Event] = []
    for start, end in pairwise([*starts, len(line)]):
        event = _one(line[start:]) if start else None
        if event is not None:
            return [*found, event]  # the rest of the line, with whatever is nested in it
        event = _one(line[start:end])
        if event is not None:
            found.append(event)
    return found


def user_of(raw: Raw) -> User:
    """The user in `raw` (an event's impersonatedUser); what is no user counts as left out."""
    if not raw:
        return User()
    try:
        return _decode_user(raw)
    except UNDECODABLE:
        return _salvage(raw, User) or User()


def plain(raw: Raw) -> Any:
    """What `raw` holds. Raises one of `UNDECODABLE`."""
    return msgspec.json.decode(raw)


def plain_or(raw: Raw, default: T) -> T:
    """What `raw` holds if that is of `default`'s type, else `default`."""
    if raw:
        try:
            value = plain(raw)
        except UNDECODABLE:
            return default
        if isinstance(value, type(default)):
            return value
    return default


def _one(line: bytes) -> Event | None:
    return decode_events([line])[0]


def _odd(line: bytes) -> OddEvent | None:
    envelope = decode_lines([line], decode_record)[0]
    if envelope is None:
        return None
    return _salvage(Raw(line), OddEvent)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _salvage(raw: Raw, kind: type[T]) -> T | None:
    """A `kind` of those fields in `raw` that have the right type; None if it has no fields."""
    values: dict[str, Any] = {}
    try:
        fields = _decode_fields(raw)
    except UNDECODABLE:
        return None
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        if field.encode_name in fields:
            value = fields[field.encode_name]
            try:
                values[field.name] = msgspec.json.decode(value, type=field.type)
            except UNDECODABLE:
                inner = next(filter(_is_struct, (field.type, *get_args(field.type))), None)
                part = _salvage(value, inner) if inner is not None else None
                if part is not None:
                    values[field.name] = part
    return kind(**values)
