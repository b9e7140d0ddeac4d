"""Objects and reviews for tests of admission dialects, as a loader and an event would make them."""

from __future__ import annotations

from typing import Any

from shipper.rules.dialects.kinds import is_cluster_wide, resource_of
from shipper.rules.dialects.policy import Dialect, Ident, Linked, Policy, Source
from shipper.rules.dialects.review import Identity, Operation, Review, Target
from shipper.rules.document import Document
from shipper.rules.terms import UNBOUND


def group_version(value: dict[str, Any]) -> tuple[str, str]:
    """Of an object's apiVersion."""
    group, _, version = value["apiVersion"].rpartition("/")
    return group, version


def ident_of(value: dict[str, Any]) -> Ident:
    """An object's name in the cluster."""
    metadata = value["metadata"]
    group = group_version(value)[0]
    return Ident(group, value["kind"], metadata.get("namespace", ""), metadata["name"])


def linked(dialect: Dialect, *documents: Document | dict[str, Any]) -> Linked:
    """What a dialect makes of objects, or of the documents they stand in."""
    objects = {}
    for one in documents:
        document = one if isinstance(one, Document) else None
        value = one.value if isinstance(one, Document) else one
        objects[ident_of(value)] = Source(value, document)
    return dialect.link(objects)


def only(found: Linked) -> Policy:
    """The one policy there is, without a problem."""
    assert not found.problems
    (policy,) = found.policies
    return policy


def review(
    value: dict[str, Any],
    *,
    operation: Operation = "CREATE",
    old: Any = None,
    subresource: str = "",
    namespace_object: Any = UNBOUND,
    identity: Identity | None = None,
    dry_run: bool = False,
) -> Review:
    """A request about `value`, which for a DELETE is the object that goes."""
    group, version = group_version(value)
    kind, metadata = value["kind"], value["metadata"]
    namespace = "" if is_cluster_wide(group, kind) else metadata.get("namespace", "default")
    deleted = operation == "DELETE"
    target = Target(operation, group, version, resource_of(group, kind), subresource, kind)
    return Review(
        target=target,
        namespace=namespace,
        name=metadata.get("name", ""),
        identity=identity,
        dry_run=dry_run,
        object=None if deleted else value,
        old_object=value if deleted else old,
        namespace_object=namespace_object if namespace else None,
    )
