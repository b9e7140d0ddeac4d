"""The variable `event`: the audit event with every field filled in that the API server leaves out.

Makes the fields that are asked for and no others. Pure, and never raises on bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shipper.rules.event import Event, ObjectRef, Status, User, plain_or, user_of

Wanted = Mapping[str, Any]
"""Names of fields with what is wanted below each; None: all of it."""

_NO_STATUS, _NO_REF = Status(), ObjectRef()
_REF_FIELDS = ObjectRef.__struct_fields__
_STATUS_FIELDS = Status.__struct_fields__


def make(event: Event, below: Wanted | None) -> dict[str, Any]:
    """The fields of `event` in `below`, but for the bodies."""
    if below is None:
        return {name: field(event, None) for name, field in _FIELDS.items()}
    return {name: _FIELDS[name](event, below[name]) for name in below if name in _FIELDS}


def of_user(user: User, below: Wanted | None = None) -> dict[str, Any]:
    """A user as a map."""
    found: dict[str, Any] = {"username": user.username, "groups": list(user.groups)}
    if below is None or "uid" in below:
        found["uid"] = user.uid
    if below is None or "extra" in below:
        found["extra"] = plain_or(user.extra, {})
    return found


def source_ip(event: Event) -> str:
    """The last of sourceIPs, the only one that is not the client's word."""
    found: list[Any] = plain_or(event.sourceIPs, [])
    return found[-1] if found and isinstance(found[-1], str) else ""


def prune(value: Any, below: Wanted | None) -> Any:
    """`value` without the fields of its maps that nobody wants."""
    if below is None or not isinstance(value, dict):
        return value
    return {name: prune(value[name], below[name]) for name in below if name in value}


def without_nulls(value: Any) -> Any:
    """`value` without null fields: they are unset, as Kubernetes' own CEL has it.

    Without recursion: an event may be nested as deeply as its reader allows.
    """
    out = [value]
    left: list[Any] = [out]
    while left:
        holder = left.pop()
        for key, item in enumerate(holder) if isinstance(holder, list) else holder.items():
            if isinstance(item, dict):
                holder[key] = {name: below for name, below in item.items() if below is not None}
            elif isinstance(item, list):
                holder[key] = list(item)
            else:
                continue
            left.append(holder[key])
    return out[0]


def _parts(value: object, names: tuple[str, ...], below: Wanted | None) -> dict[str, Any]:
    return {name: getattr(value, name) for name in (names if below is None else below)}


_FIELDS: Mapping[str, Callable[[Event, Wanted | None], Any]] = {
    "auditID": lambda event, _: event.auditID,
    "level": lambda event, _: event.level,
    "stage": lambda event, _: event.stage,
    "verb": lambda event, _: event.verb,
    "requestURI": lambda event, _: event.requestURI,
    "userAgent": lambda event, _: event.userAgent,
    "user": lambda event, below: of_user(event.user, below),
    "impersonatedUser": lambda event, below: of_user(user_of(event.impersonatedUser), below),
    "sourceIPs": lambda event, _: plain_or(event.sourceIPs, []),
    "sourceIP": lambda event, _: source_ip(event),
    "objectRef": lambda event, below: _parts(event.objectRef or _NO_REF, _REF_FIELDS, below),
    "responseStatus": lambda event, below: _parts(
        event.responseStatus or _NO_STATUS, _STATUS_FIELDS, below
    ),
    "annotations": lambda event, _: plain_or(event.annotations, {}),
    "requestReceivedTimestamp": lambda event, _: event.requestReceivedTimestamp,
    "stageTimestamp": lambda event, _: timestamp(event),
}


def timestamp(event: Event) -> str:
    """The stageTimestamp as the API server writes it: microseconds, `Z`."""
    return event.stageTimestamp.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


NAMES: Mapping[str, tuple[str, ...] | None] = {
    name: {
        "user": ("username", "groups", "uid", "extra"),
        "impersonatedUser": ("username", "groups", "uid", "extra"),
        "objectRef": _REF_FIELDS,
        "responseStatus": _STATUS_FIELDS,
        "sourceIPs": None,
        "annotations": None,
    }.get(name, ())
    for name in _FIELDS
}
"""The fields there are, with the fields below each: () has none, None any."""
