"""The labels of the namespace that a review is about, as far as they are known.

The API server sets one of them itself, from the name; so that one is always known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shipper.rules.dialects.review import Review

NAME_LABEL = "kubernetes.io/metadata.name"
"""Set on every Namespace: k8s.io/api/core/v1, LabelMetadataName."""


class Labels(NamedTuple):
    """`complete`: there are no others."""

    labels: Mapping[str, Any]
    complete: bool


def is_namespace(review: Review) -> bool:
    """Whether the object under review is a Namespace itself."""
    return review.target.resource == "namespaces" and review.target.group == ""


def namespace_labels(review: Review) -> Labels:
    """Of the object's Namespace, or of the object itself if it is one."""
    if is_namespace(review):
        shown = review.old_object if review.target.operation == "DELETE" else review.object
        name = review.name
    else:
        shown, name = review.namespace_object, review.namespace
    if not isinstance(shown, Mapping):
        return Labels({NAME_LABEL: name}, complete=False)
    return Labels({**labels_of(shown), NAME_LABEL: name}, complete=True)


def labels_of(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's labels."""
    metadata = shown.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}
