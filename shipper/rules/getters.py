"""The variables' fields that can be had from the envelope at once, by the path that names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from shipper.rules import fields
from shipper.rules.event import user_of
from shipper.rules.terms import Terms, is_dry_run


class Getter(NamedTuple):
    """A field that always has a value. `stable`: the same for events that are alike."""

    get: Callable[[Terms], Any]
    kind: type
    stable: bool = False


def _ref(name: str, *, stable: bool = False) -> Getter:
    return Getter(attrgetter(f"ref.{name}"), str, stable)


def _status(name: str, kind: type, *, stable: bool = False) -> Getter:
    return Getter(attrgetter(f"status.{name}"), kind, stable)


GETTERS: Mapping[tuple[str, ...], Getter] = {
    ("event", "stage"): Getter(attrgetter("event.stage"), str, True),
    ("event", "verb"): Getter(attrgetter("event.verb"), str, True),
    ("event", "level"): Getter(attrgetter("event.level"), str),
    ("event", "requestURI"): Getter(attrgetter("event.requestURI"), str),
    ("event", "userAgent"): Getter(attrgetter("event.userAgent"), str),
    ("event", "sourceIP"): Getter(lambda terms: fields.source_ip(terms.event), str),
    ("event", "user", "username"): Getter(attrgetter("event.user.username"), str, True),
    ("event", "user", "groups"): Getter(attrgetter("event.user.groups"), list, True),
    ("event", "impersonatedUser", "username"): Getter(
        lambda terms: user_of(terms.event.impersonatedUser).username, str, True
    ),
    ("event", "impersonatedUser", "groups"): Getter(
        lambda terms: user_of(terms.event.impersonatedUser).groups, list, True
    ),
    ("event", "objectRef", "resource"): _ref("resource", stable=True),
    ("event", "objectRef", "subresource"): _ref("subresource", stable=True),
    ("event", "objectRef", "namespace"): _ref("namespace", stable=True),
    ("event", "objectRef", "apiGroup"): _ref("apiGroup", stable=True),
    ("event", "objectRef", "name"): _ref("name"),
    ("event", "responseStatus", "code"): _status("code", int, stable=True),
    ("event", "responseStatus", "reason"): _status("reason", str),
    ("event", "responseStatus", "message"): _status("message", str),
    ("request", "operation"): Getter(attrgetter("operation"), str, True),
    ("request", "subResource"): _ref("subresource", stable=True),
    ("request", "namespace"): _ref("namespace", stable=True),
    ("request", "name"): _ref("name"),
    ("request", "resource", "group"): _ref("apiGroup", stable=True),
    ("request", "resource", "resource"): _ref("resource", stable=True),
    ("request", "dryRun"): Getter(lambda terms: is_dry_run(terms.event), bool, True),
}
