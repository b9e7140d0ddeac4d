"""What selectors say of a review: of its object's labels, and of its namespace's.

Answers from what is known. One label of a namespace always is: it is set from the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shipper.rules.dialects.review import Review
from shipper.rules.dialects.selectors import Choice, Selector
from shipper.rules.terms import UNBOUND

NAME_LABEL = "kubernetes.io/metadata.name"
"""Set on every Namespace: k8s.io/api/core/v1, LabelMetadataName."""


STRENGTH: Mapping[Choice, int] = {"yes": 0, "unknown": 1, "excluded": 2, "no": 3}
"""Where all of several must select, the strongest counts; where any of them may, the weakest."""


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
        name = review.name or _name_of(shown)
    else:
        shown, name = review.namespace_object, review.namespace
    if not isinstance(shown, Mapping):
        return Labels({NAME_LABEL: name}, complete=False)
    return Labels({**labels_of(shown), NAME_LABEL: name}, complete=True)


def choose_namespace(selector: Selector, review: Review) -> Choice:
    """What `selector` says of the namespace; what stands in none is never left out by one."""
    if not selector or not (review.namespace or is_namespace(review)):
        return "yes"
    known = namespace_labels(review)
    return selector.choose(known.labels, complete=known.complete)


def choose_object(selector: Selector, review: Review) -> Choice:
    """What `selector` says of the object as it is or as it was: one of them will do."""
    if not selector:
        return "yes"
    choices: list[Choice] = []
    for shown in (review.object, review.old_object):
        if shown is UNBOUND:
            choices.append("unknown")
        elif isinstance(shown, Mapping):
            choices.append(selector.choose(labels_of(shown), complete=True))
    return min(choices, key=STRENGTH.__getitem__) if choices else "no"


def labels_of(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object's labels."""
    metadata = shown.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return labels if isinstance(labels, Mapping) else {}


def _name_of(shown: Any) -> str:
    metadata = shown.get("metadata") if isinstance(shown, Mapping) else None
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""
