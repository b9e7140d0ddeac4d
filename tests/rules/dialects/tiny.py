"""A policy language of the tests' own: small enough to be read at a glance, whole enough to be one.

    apiVersion: tiny.test/v1
    kind: Demand
    metadata: {name: has-team}
    spec:
      label: team                 # objects must have it
      resources: [pods]
      action: deny                # deny | warn | audit
      namespaces: {env: prod}     # labels that the object's Namespace must have
      exempt: [alice]             # users
      params: limits              # a ConfigMap tiny/limits whose data.label is the label instead
      cluster: true               # can not be answered offline

A `DemandException` of the same name exempts whatever has the label `waived`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from shipper.rules.dialects.policy import Action, Ident, Linked, Objects, Policy, Source, Verdict
from shipper.rules.dialects.registry import Admission
from shipper.rules.dialects.review import Review, Target
from shipper.rules.dialects.selectors import selects
from shipper.rules.document import Problem
from shipper.rules.terms import UNBOUND

GROUP = "tiny.test"
RULE = "label"


class Demand:
    """Objects need a label."""

    def __init__(self, ident: Ident, source: Source, parts: dict[Ident, Source]) -> None:
        self.ident = ident
        self.source = source
        self.parts: Collection[Ident] = [ident, *parts]
        self._spec = source.value["spec"]
        self.action: Action = self._spec.get("action", "deny")
        self.label = self._spec.get("label", "")
        for part, found in parts.items():
            if part.kind == "ConfigMap":
                self.label = found.value["data"]["label"]
        self._waived = any(part.kind == "DemandException" for part in parts)

    @property
    def unanswerable(self) -> Sequence[str]:
        return ["label: asks the cluster"] if self._spec.get("cluster") else []

    def may_concern(self, target: Target) -> bool:
        return target.resource in self._spec.get("resources", ["pods"]) and not target.subresource

    def judge(self, review: Review) -> Sequence[Verdict]:
        found = self._judged(review)
        return [found._replace(rule=RULE, action=self.action)] if found else []

    def _judged(self, review: Review) -> Verdict | None:
        if self._spec.get("raises"):
            raise RuntimeError("a fault of the dialect")
        wanted = self._spec.get("namespaces")
        if wanted:
            if review.namespace_object is UNBOUND:
                return Verdict("indeterminate", message="the namespace is not known")
            if not selects({"matchLabels": wanted}, review.namespace_object["metadata"]["labels"]):
                return None
        if self.unanswerable:
            return Verdict("indeterminate", message="asks the cluster")
        if review.object is UNBOUND:
            return Verdict("indeterminate", message="object is not known")
        labels: dict[str, Any] = (review.object or {}).get("metadata", {}).get("labels", {})
        if review.identity and review.identity.username in self._spec.get("exempt", []):
            return Verdict("pass", exempt=f"user {review.identity.username}")
        if self._waived and "waived" in labels:
            return Verdict("pass", exempt="a waiver")
        if self.label in labels:
            return Verdict("pass")
        return Verdict("fail", message=f"needs the label {self.label}")


class Tiny:
    """The language; counts how often it has linked."""

    kinds: Collection[tuple[str, str]] = [(GROUP, "Demand"), (GROUP, "DemandException")]

    def __init__(self) -> None:
        self.links = 0

    def wants(self, objects: Objects) -> Collection[tuple[str, str]]:
        demands = [one.value["spec"] for ident, one in objects.items() if ident.kind == "Demand"]
        return [("", "ConfigMap")] if any("params" in spec for spec in demands) else []

    def link(self, objects: Objects) -> Linked:
        self.links += 1
        policies: list[Policy] = []
        problems: list[Problem] = []
        for ident, source in objects.items():
            if ident.kind != "Demand":
                continue
            spec = source.value.get("spec", {})
            if not isinstance(spec.get("label", ""), str):
                reason = "spec.label: must be text"
                document = source.document
                problems.append(
                    document.problem(("spec", "label"), reason)
                    if document
                    else Problem(str(ident), 0, reason)
                )
                continue
            refers = {("ConfigMap", spec.get("params")), ("DemandException", ident.name)}
            parts = {p: s for p, s in objects.items() if (p.kind, p.name) in refers}
            policies.append(Demand(ident, source, parts))
        return Linked(policies, problems)


TINY = Admission("Tiny", frozenset({GROUP}), Tiny)


def demand(name: str = "has-team", **spec: Any) -> dict[str, Any]:
    """A policy document."""
    created = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Demand",
        "metadata": {"name": name, **created},
        "spec": {"label": "team", **spec},
    }


def waiver(name: str = "has-team") -> dict[str, Any]:
    """An exception."""
    return {"apiVersion": f"{GROUP}/v1", "kind": "DemandException", "metadata": {"name": name}}


def config_map(name: str, **data: str) -> dict[str, Any]:
    """Parameters."""
    metadata = {"name": name, "namespace": "tiny"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def namespace(name: str, **labels: str) -> dict[str, Any]:
    """A Namespace."""
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
