"""Temporary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shipper.rules.dialects.kinds import kind_of
from shipper.rules.dialects.review import Identity, Review, Target
from shipper.rules.event import user_of
from shipper.rules.terms import Terms, is_dry_run


def accepted(terms: Terms) -> bool:
    code = terms.status.code
    if not terms.key.answered or is_dry_run(terms.event):
        return False
    return bool(terms.operation) and (200 <= code < 300 or code == 101)


def target_of(terms: Terms) -> Target:
    ref = terms.ref
    operation: Any = terms.operation
    return Target(
        operation, ref.apiGroup, ref.apiVersion, ref.resource, ref.subresource,
        kind_of(ref.apiGroup, ref.resource, ref.subresource),
    )  # fmt: skip


def review_of(terms: Terms, namespace: Callable[[str], Any]) -> Review:
    who = user_of(terms.event.impersonatedUser)
    who = who if who.username else terms.event.user
    ref = terms.ref
    return Review(
        target=target_of(terms),
        namespace=ref.namespace,
        name=ref.name,
        identity=Identity(who.username, who.groups, who.uid),
        object=terms.object(None),
        old_object=terms.old_object(None),
        namespace_object=namespace(ref.namespace),
    )
