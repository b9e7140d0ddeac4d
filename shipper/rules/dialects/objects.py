"""Objects of a cluster as they are written: which object a document is, and lists unfolded.

Knows no policy language, and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shipper.rules.dialects.policy import Ident
from shipper.rules.dialects.registry import group_of
from shipper.rules.document import Document

NAMESPACE = ("", "Namespace")

NAME_LABEL = "kubernetes.io/metadata.name"
"""The API server puts it on every Namespace."""


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
