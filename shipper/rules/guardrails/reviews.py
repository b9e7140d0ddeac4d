"""From an event to what admission was asked: the review of a write that the API server accepted.

What the event does not hold is `UNBOUND`: a patch is never taken for the object, nor what was sent
for what was stored. Never raises on bytes of an event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from shipper.rules.dialects.kinds import kind_of
from shipper.rules.dialects.review import Identity, Operation, Review, Target
from shipper.rules.event import User, plain_or, user_of
from shipper.rules.terms import UNBOUND, Terms, is_dry_run

_ANSWERED_BY_STATUS = frozenset(("bindings/", "pods/binding", "pods/eviction"))
"""Acts that leave no object of their own: what was sent is all that there is."""

_META = "meta.k8s.io/"
"""The group of answers in another shape than the object's (tables, metadata alone)."""

_NO_EXTRA: dict[str, Any] = {}


def accepted(terms: Terms) -> bool:
    """Whether the event is the answer to a write, or a connection, that was let through."""
    code = terms.status.code
    if not terms.key.answered or is_dry_run(terms.event):
        return False
    return bool(terms.operation) and (200 <= code < 300 or code == 101)


def target_of(terms: Terms, kind: str = "") -> Target:
    """What the event acts on; `kind` where a body says it, else the one that tables have.

    A write that made the object is a CREATE, whatever its verb: so is a server-side apply.
    """
    ref, operation = terms.ref, terms.operation
    if operation == "UPDATE" and terms.status.code == 201:
        operation = "CREATE"
    known = kind or kind_of(ref.apiGroup, ref.resource, ref.subresource)
    return Target(
        cast(Operation, operation), ref.apiGroup, ref.apiVersion, ref.resource, ref.subresource,
        known,
    )  # fmt: skip


def review_of(terms: Terms, namespace: Callable[[str], Any]) -> Review:
    """The review of an accepted write; `namespace` gives a Namespace by its name, or `UNBOUND`."""
    shown = _object(terms)
    body = shown if isinstance(shown, dict) else _deleted(terms)
    target = target_of(terms, body["kind"] if isinstance(body, dict) else "")
    of_namespace = target.resource == "namespaces" and not target.group
    return Review(
        target=target,
        namespace=terms.ref.namespace,
        name=terms.ref.name or _name(shown),
        identity=identity_of(terms),
        object=shown,
        old_object=_old_object(terms, target.operation),
        namespace_object=None if of_namespace else namespace(terms.ref.namespace),
    )


def identity_of(terms: Terms) -> Identity:
    """The impersonated user where there is one, as admission sees it."""
    acting = user_of(terms.event.impersonatedUser)
    user: User = acting if acting.username else terms.event.user
    extra = {
        key: [one for one in values if isinstance(one, str)]
        for key, values in plain_or(user.extra, _NO_EXTRA).items()
        if isinstance(values, list)
    }
    return Identity(user.username, user.groups, user.uid, extra)


def _object(terms: Terms) -> Any:
    """The object as stored: null for a delete, `UNBOUND` where the event has not got it."""
    if terms.operation == "DELETE":
        return None
    if terms.operation == "CONNECT":
        return UNBOUND
    if f"{terms.ref.resource}/{terms.ref.subresource}" in _ANSWERED_BY_STATUS:
        sent = terms.body("requestObject")
        return sent if _is_object(sent) else UNBOUND
    stored = terms.stored()
    return stored if _is_object(stored) else UNBOUND


def _old_object(terms: Terms, operation: Operation) -> Any:
    """The object before: null where there was none; no log has it for an update."""
    if operation in ("CREATE", "CONNECT"):
        return None
    return _deleted(terms) if operation == "DELETE" else UNBOUND


def _deleted(terms: Terms) -> Any:
    """What the answer to a delete says of the object, if it does; of a collection it is a list."""
    stored = terms.stored()
    return stored if terms.event.verb == "delete" and _is_object(stored) else UNBOUND


def _is_object(body: Any) -> bool:
    """Whether it is an object whole, and no table of it, nor its metadata alone."""
    if not isinstance(body, dict) or not isinstance(body.get("kind"), str):
        return False
    return not str(body.get("apiVersion")).startswith(_META)


def _name(body: Any) -> str:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else ""
