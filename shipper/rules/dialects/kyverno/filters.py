"""What Kyverno does not look at, as its Helm chart configures it.

Source: kyverno charts/kyverno/values.yaml (resourceFilters, excludeGroups, webhooks). The
configuration stands in a ConfigMap of Kyverno's own, which is not read: what is said here is the
default. An object that is let by for it is exempt, and says so.
"""

from __future__ import annotations

from shipper.rules.dialects.kyverno.subject import Subject

BY_DEFAULT = "by default Kyverno does not look at"

_NAMESPACES = frozenset(("kube-system", "kube-public", "kube-node-lease", "kyverno"))
_KINDS = frozenset(
    (
        "APIService", "Binding", "ClusterEphemeralReport", "EphemeralReport", "Event", "Node",
        "ReplicaSet", "SelfSubjectAccessReview", "SubjectAccessReview", "TokenReview",
    )
)  # fmt: skip
_GROUP = "system:nodes"


def passed_by(subject: Subject) -> str:
    """Why Kyverno does not look at the object by default; empty if it does."""
    namespace = subject.name if subject.is_namespace else subject.namespace
    if namespace in _NAMESPACES:
        return f"{BY_DEFAULT} the namespace {namespace}"
    if subject.kind in _KINDS or subject.target.subresource == "binding":
        return f"{BY_DEFAULT} a {subject.kind}"
    who = subject.review.identity
    if who is not None and _GROUP in who.groups:
        return f"{BY_DEFAULT} requests of {_GROUP}"
    return ""
