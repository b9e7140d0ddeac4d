"""The variables that expressions see, made from one event: `event`, and the terms of admission.

Binds only what the expressions that are asked name, since what is bound must be converted for CEL.
A variable that the event can not answer is left unbound, never guessed. Pure; never raises on bytes
of an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Raw

from shipper.envelope import UNDECODABLE
from shipper.rules import fields
from shipper.rules.dialects.texts import text
from shipper.rules.event import Event, ObjectRef, Status, plain, plain_or, user_of
from shipper.rules.fields import Wanted, of_user, prune, without_nulls
from shipper.rules.match import Key, key_of

OPERATIONS = {
    "create": "CREATE",
    "update": "UPDATE",
    "patch": "UPDATE",
    "delete": "DELETE",
    "deletecollection": "DELETE",
}
CONNECTED = frozenset(("attach", "exec", "portforward", "proxy"))
"""Subresources to which a client is connected: admission sees an operation CONNECT."""

_POD_SPECS: Mapping[str, tuple[str, ...]] = {
    "pods": ("spec",),
    "podtemplates": ("template", "spec"),
    "cronjobs": ("spec", "jobTemplate", "spec", "template", "spec"),
} | dict.fromkeys(
    (
        "daemonsets", "deployments", "jobs", "replicasets", "replicationcontrollers",
        "statefulsets",
    ),
    ("spec", "template", "spec"),
)  # fmt: skip
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")

_COMPACT = re.compile(rb'\{"[A-Za-z]*":[^ \t\n\r]')
_REFUSED_BY_ADMISSION = frozenset((403, 422))
_NO_STATUS, _NO_REF = Status(), ObjectRef()
_DELETING = frozenset(("delete", "deletecollection"))
_NO_OPTIONS: dict[str, Any] = {}


class _Unbound:
    """The event does not say."""


UNBOUND = _Unbound()


def wanted(paths: Iterable[tuple[str, ...]]) -> Wanted:
    """What must be bound for expressions that name `paths`."""
    found: dict[str, Any] = {}
    for path in sorted(paths):  # a path stands before those that go on from it
        inner = found
        for step in path[:-1]:
            below = inner.setdefault(step, {})
            if below is None:  # all of it already
                break
            inner = below
        else:
            inner[path[-1]] = None
    return found


class Terms:
    """One event's variables; each is made when it is first asked for."""

    def __init__(self, event: Event, line: bytes) -> None:
        self.event = event
        self.line = line
        self.ref = event.objectRef or _NO_REF
        self.status = event.responseStatus or _NO_STATUS
        self._bodies: dict[str, Any] = {}
        self._object_bytes: bytes | None = None
        self._annotation_bytes: bytes | None = None

    def bind(self, wanted: Wanted) -> dict[str, Any]:
        """The variables in `wanted`, without those that the event can not answer."""
        found = {}
        for name, below in wanted.items():
            make = _MAKERS.get(name)
            value = make(self, below) if make else UNBOUND
            if value is not UNBOUND:
                found[name] = value
        return found

    @cached_property
    def key(self) -> Key:
        """What match blocks look at."""
        return key_of(self.event)

    @property
    def tried(self) -> bool:
        """Whether the request did something or would have, but for admission.

        One that was turned away before (no right, nobody, no such object) never had an object: that
        none is to be seen leaves nothing undecided.
        """
        code = self.status.code
        if code < 400:
            return True
        forbidden = self.annotations.get("authorization.k8s.io/decision") == "forbid"
        return code in _REFUSED_BY_ADMISSION and not forbidden

    @cached_property
    def annotations(self) -> dict[str, Any]:
        """The event's annotations."""
        return plain_or(self.event.annotations, {})

    def event_map(self, below: Wanted | None) -> dict[str, Any]:
        """The event with every field that may be missing filled in, and the bodies there are."""
        found = fields.make(self.event, below)
        for name in ("requestObject", "responseObject"):
            if below is None or name in below:
                body = self.body(name)
                if body is not UNBOUND:
                    found[name] = prune(body, below[name] if below else None)
        return found

    # ---- what detection languages read

    @property
    def time(self) -> datetime:
        """The event's stageTimestamp."""
        return self.event.stageTimestamp

    @cached_property
    def received(self) -> datetime:
        """When the API server got the request, else when it answered."""
        return moment(self.event.requestReceivedTimestamp) or self.event.stageTimestamp

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The event as it was written; empty if the line is not this event alone."""
        try:
            found = plain(Raw(self.line))
        except UNDECODABLE:
            return {}
        same = isinstance(found, dict) and found.get("auditID") == self.event.auditID
        return found if same else {}

    def raw_body(self, name: str) -> bytes:
        """The body as it stands in the line; empty if there is none."""
        return bytes(getattr(self.event, name))

    def texts(self, below: Wanted | None) -> Any:
        """Fields by the names that Sigma and Falco have for them, of the envelope."""
        return {name: text(name).read(self) for name in below or ()}

    def body_texts(self, below: Wanted | None) -> Any:
        """The same of bodies; unbound where the log has not got what was sent."""
        if self.event.level == "Metadata" and self.operation in ("CREATE", "UPDATE"):
            return UNBOUND
        return self.texts(below)

    # ---- admission

    def object(self, below: Wanted | None) -> Any:
        """The object as stored, else as sent; null where a request has none."""
        return self._shown(self._object(), below)

    def old_object(self, below: Wanted | None) -> Any:
        """The deleted object where the answer holds it; unbound for an update: no log has it."""
        operation = self.operation
        if operation == "UPDATE" or self.event.verb == "deletecollection":
            return UNBOUND
        return self._shown(self.stored() if operation == "DELETE" else None, below)

    def pod_spec(self, below: Wanted | None) -> Any:
        """The pod spec in the object; empty where the object is of a kind that has none."""
        value = self._object()
        if value is UNBOUND:
            return UNBOUND
        for step in _POD_SPECS.get(self.ref.resource, ("",)):
            value = value.get(step) if isinstance(value, dict) else None
        return self._shown(value, below) if isinstance(value, dict) else {}

    def containers(self, _below: Wanted | None) -> Any:
        """The pod spec's containers of all three kinds."""
        spec = self.pod_spec(dict.fromkeys(_CONTAINERS))
        if spec is UNBOUND:
            return UNBOUND
        lists = [spec.get(name) for name in _CONTAINERS]
        many = [one for found in lists if isinstance(found, list) for one in found]
        return [one for one in many if isinstance(one, dict)]

    def request(self, below: Wanted | None) -> Any:
        """What admission is told of the request; `kind` only where a body says it."""
        who = user_of(self.event.impersonatedUser)
        found = {
            "operation": self.operation,
            "resource": {
                "group": self.ref.apiGroup,
                "version": self.ref.apiVersion,
                "resource": self.ref.resource,
            },
            "subResource": self.ref.subresource,
            "name": self.ref.name,
            "namespace": self.ref.namespace,
            "userInfo": of_user(who if who.username else self.event.user),
            "dryRun": is_dry_run(self.event),
        }
        if below is None or "kind" in below:
            kind = self._kind()
            if kind is not UNBOUND:
                found["kind"] = kind
        return found

    @property
    def operation(self) -> str:
        """CREATE, UPDATE, DELETE or CONNECT; empty for a read, and where no object is named."""
        if self.ref.subresource in CONNECTED:
            return "CONNECT"
        return OPERATIONS.get(self.event.verb, "") if self.ref.resource else ""

    def _object(self) -> Any:
        if self.operation not in ("CREATE", "UPDATE"):
            return None
        stored = self.stored()
        if stored is not UNBOUND or self.event.verb == "patch":
            return stored
        sent = self.body("requestObject")
        return sent if isinstance(sent, dict) else UNBOUND

    def stored(self) -> Any:
        """The answer, if it is an object and no Status about one."""
        if not 200 <= self.status.code < 300:
            return UNBOUND
        body = self.body("responseObject")
        if not isinstance(body, dict) or body.get("kind") == "Status":
            return UNBOUND
        return body

    def _kind(self) -> Any:
        body = self._object()
        if not isinstance(body, dict):
            body = self.stored()
        if not isinstance(body, dict) or not isinstance(body.get("kind"), str):
            return UNBOUND
        group, _, version = str(body.get("apiVersion", "")).rpartition("/")
        return {"group": group, "version": version, "kind": body["kind"]}

    # ---- bodies

    @property
    def annotation_bytes(self) -> bytes:
        """The annotations as they stand in the line."""
        if self._annotation_bytes is None:
            self._annotation_bytes = bytes(self.event.annotations)
        return self._annotation_bytes

    @property
    def object_bytes(self) -> bytes:
        """The object as it stands in the line; empty if it does not, or that is not sure.

        The API server writes no blanks between tokens; a body that has one behind its first key was
        written by somebody else. What may be a Status is no object.
        """
        if self._object_bytes is None:
            raw = b""
            if 200 <= self.status.code < 300:
                raw = bytes(self.event.responseObject)
            if not raw and self.event.verb != "patch":
                raw = bytes(self.event.requestObject)
            plain = _COMPACT.match(raw) and raw.find(b'"Status"', 0, 1024) < 0
            self._object_bytes = raw if plain else b""
        return self._object_bytes

    def body(self, name: str) -> Any:
        if name not in self._bodies:
            raw: Raw = getattr(self.event, name)
            try:
                self._bodies[name] = plain(raw) if raw else UNBOUND
            except UNDECODABLE:
                self._bodies[name] = UNBOUND
        return self._bodies[name]

    def _shown(self, value: Any, below: Wanted | None) -> Any:
        """What expressions see of the object: a field that is null is unset in Kubernetes' CEL."""
        pruned = prune(value, below)
        nulls = isinstance(pruned, dict) and any(
            b"null" in bytes(raw) for raw in (self.event.requestObject, self.event.responseObject)
        )
        return without_nulls(pruned) if nulls else pruned


def moment(text: object) -> datetime | None:
    """A moment as the API server writes it; None if it is none."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return found.astimezone(UTC) if found and found.tzinfo else None
    except (ValueError, OverflowError):  # in UTC it may lie beyond the calendar
        return None


def is_dry_run(event: Event) -> bool:
    """Whether the request asked for nothing to be stored.

    A delete's body overrides its query, so a query alone proves nothing.
    """
    if event.verb in _DELETING:
        options = bytes(event.requestObject)
        asked = plain_or(Raw(options), _NO_OPTIONS).get("dryRun") if b"dryRun" in options else None
        return isinstance(asked, list) and "All" in asked
    if "dryRun" not in event.requestURI:
        return False
    try:
        query = parse_qs(urlsplit(event.requestURI).query, max_num_fields=1000)
    except ValueError:
        return False
    return "All" in query.get("dryRun", ())


_MAKERS: Mapping[str, Callable[[Terms, Wanted | None], Any]] = {
    "event": Terms.event_map,
    "object": Terms.object,
    "oldObject": Terms.old_object,
    "podSpec": Terms.pod_spec,
    "containers": Terms.containers,
    "request": Terms.request,
    "fields": Terms.texts,
    "body": Terms.body_texts,
}
