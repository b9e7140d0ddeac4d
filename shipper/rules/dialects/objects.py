"""Objects of a cluster as they are written: which object a document is, and lists unfolded.

Knows no policy language, and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipper.rules.dialects.policy import Ident
from shipper.rules.dialects.registry import group_of
from shipper.rules.document import MAX_DEPTH, Document

NAMESPACE = ("", "Namespace")

NAME_LABEL = "kubernetes.io/metadata.name"
"""The API server puts it on every Namespace."""

_BOOK_KEEPING = frozenset(("generation", "managedFields", "resourceVersion", "selfLink"))
_OF_NAMESPACES = frozenset(("annotations", "creationTimestamp", "labels", "name", "uid"))


def unfolded(document: Document) -> Iterator[Document]:
    """The document itself, or the items of a `kind: List` (what `kubectl get -o yaml` writes)."""
    value = document.value
    if not isinstance(value, dict) or value.get("kind") != "List":
        yield document
        return
    items = value.get("items")
    for number in range(len(items)) if isinstance(items, list) else ():
        yield from unfolded(document.part(("items", number)))


def ident_of(value: Any) -> Ident | None:
    """Which object `value` is; None if it lacks kind or name."""
    if not isinstance(value, Mapping):
        return None
    metadata = value.get("metadata")
    kind = value.get("kind")
    if not isinstance(metadata, Mapping) or not isinstance(kind, str):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace") or ""
    if not isinstance(name, str) or not name or not isinstance(namespace, str):
        return None
    return Ident(group_of(value), kind, namespace, name)


def is_namespace(ident: Ident) -> bool:
    """Whether it is a Namespace: policies ask for its labels."""
    return ident[:2] == NAMESPACE


def labelled(namespace: Mapping[str, Any]) -> Mapping[str, Any]:
    """A Namespace with the label that each has once it is stored."""
    metadata = namespace["metadata"]
    labels = metadata.get("labels") or {}
    if not isinstance(labels, Mapping) or NAME_LABEL in labels:
        return namespace
    named = {**labels, NAME_LABEL: metadata["name"]}
    return {**namespace, "metadata": {**metadata, "labels": named}}


def slim(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object without what changes all the time and no policy is made of."""
    metadata = value["metadata"]
    kept = {key: item for key, item in metadata.items() if key not in _BOOK_KEEPING}
    if is_namespace(Ident(group_of(value), value["kind"], "", "")):
        kept = {key: item for key, item in kept.items() if key in _OF_NAMESPACES}
        return {"apiVersion": "v1", "kind": "Namespace", "metadata": kept}
    return {**{key: item for key, item in value.items() if key != "status"}, "metadata": kept}


def is_too_deep(value: Any) -> bool:
    """Whether it is nested deeper than anything that is asked here may be."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, Mapping | list)
            for inner in (item.values() if isinstance(item, Mapping) else item)
        ]
        if not level:
            return False
    return True
