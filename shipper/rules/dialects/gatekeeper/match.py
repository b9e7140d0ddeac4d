"""Which reviews a constraint is meant for.

As Gatekeeper decides it (pkg/mutation/match, pkg/target), behind the webhook as it is installed:
creations and updates, unless the template names its operations, and few subresources.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipper.rules.dialects.activations import kind_under_review
from shipper.rules.dialects.gatekeeper.spec import Match
from shipper.rules.dialects.labels import (
    NAME_LABEL,
    choose_namespace,
    choose_object,
    is_namespace,
    namespace_labels,
)
from shipper.rules.dialects.meant import NO, YES, Meant, both
from shipper.rules.dialects.review import Review, Target
from shipper.rules.dialects.selectors import Selector
from shipper.rules.terms import UNBOUND

_SUBRESOURCES = frozenset((
    "deployments/scale", "nodes/proxy", "pods/attach", "pods/binding", "pods/ephemeralcontainers",
    "pods/eviction", "pods/exec", "pods/log", "pods/portforward", "pods/proxy", "pods/resize",
    "replicasets/scale", "replicationcontrollers/scale", "services/proxy", "services/status",
    "statefulsets/scale",
))  # fmt: skip
"""Of which the webhook is told: the chart's validatingWebhookSubResources."""

_OPERATIONS = ("CREATE", "UPDATE")
_IGNORE_LABEL = "admission.gatekeeper.sh/ignore"
"""The webhook is not asked about namespaces that have it."""


class Matcher:
    """A constraint's match block, behind the webhook. Raises SelectorError.

    `exempt` are the namespaces that Gatekeeper's Config takes out of all constraints.
    """

    def __init__(self, written: Match, operations: Sequence[str], exempt: Sequence[str]) -> None:
        self._written = written
        self._operations = operations or _OPERATIONS
        self._exempt = exempt
        self._label_selector = Selector(written.label_selector)
        self._namespace_selector = Selector(written.namespace_selector)

    def may_concern(self, target: Target) -> bool:
        """Whether any review with this target can be meant, or be one of those excluded."""
        if "*" not in self._operations and target.operation not in self._operations:
            return False
        if target.subresource:  # its body may be of another kind
            return f"{target.resource}/{target.subresource}" in _SUBRESOURCES
        kind = target.kind or None
        return self._written.source != "Generated" and self._has_kind(target.group, kind)

    def meant(self, review: Review) -> Meant:
        """Whether the review is meant."""
        if not self.may_concern(review.target):
            return NO
        found = both(self._kind(review), self._scope(review))
        found = both(found, self._namespaces(review))
        found = both(found, self._selectors(review))
        return both(found, self._name(review))

    def _kind(self, review: Review) -> Meant:
        kind = kind_under_review(review)
        if kind is UNBOUND:
            needs = Meant("unknown", "match.kinds needs the object's kind")
            return needs if self._written.kinds else YES
        return YES if self._has_kind(kind["group"], kind["kind"]) else NO

    def _has_kind(self, group: str, kind: str | None) -> bool:
        """None: any kind."""
        return not self._written.kinds or any(
            _among(one.api_groups, group) and (kind is None or _among(one.kinds, kind))
            for one in self._written.kinds
        )

    def _scope(self, review: Review) -> Meant:
        has_namespace = bool(review.namespace) and not is_namespace(review)
        if self._written.scope == "Cluster":
            return NO if has_namespace else YES
        return NO if self._written.scope == "Namespaced" and not has_namespace else YES

    def _namespaces(self, review: Review) -> Meant:
        labels = namespace_labels(review).labels
        name = labels[NAME_LABEL]
        if not name:
            return YES  # what stands in no namespace is never left out by one
        if self._written.namespaces and not _any_matches(self._written.namespaces, name):
            return NO
        if _any_matches(self._written.excluded_namespaces, name):
            return Meant("excluded", "match.excludedNamespaces")
        if _any_matches(self._exempt, name):
            return Meant("excluded", "the Config's excludedNamespaces")
        if _IGNORE_LABEL in labels:
            return Meant("excluded", f"the namespace's label {_IGNORE_LABEL}")
        return YES

    def _selectors(self, review: Review) -> Meant:
        namespace = choose_namespace(self._namespace_selector, review)
        object_ = choose_object(self._label_selector, review)
        if namespace == object_ == "yes":
            return YES
        return both(
            Meant(namespace, "match.namespaceSelector"), Meant(object_, "match.labelSelector")
        )

    def _name(self, review: Review) -> Meant:
        wanted = self._written.name
        if not wanted or _matches(wanted, review.name):
            return YES
        metadata = review.object.get("metadata") if isinstance(review.object, dict) else None
        prefix = metadata.get("generateName") if isinstance(metadata, dict) else None
        by_prefix = wanted.endswith("*") and isinstance(prefix, str) and _matches(wanted, prefix)
        return YES if by_prefix else NO


def _among(names: Sequence[str], name: str) -> bool:
    return not names or "*" in names or name in names


def _any_matches(patterns: Sequence[str], name: str) -> bool:
    return any(_matches(pattern, name) for pattern in patterns)


def _matches(pattern: str, name: str) -> bool:
    """`*` at the beginning, at the end, or both: pkg/wildcard."""
    inner = pattern.removeprefix("*").removesuffix("*")
    if pattern.startswith("*") and pattern.endswith("*"):
        return inner in name
    if pattern.startswith("*"):
        return name.endswith(inner)
    return name.startswith(inner) if pattern.endswith("*") else name == pattern
