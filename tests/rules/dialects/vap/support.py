"""Policies and bindings for tests of ValidatingAdmissionPolicy."""

from __future__ import annotations

from typing import Any

from shipper.rules.dialects.policy import Verdict
from shipper.rules.dialects.review import Review
from shipper.rules.dialects.vap import Vap
from shipper.rules.dialects.vap.policy import VapPolicy
from tests.rules.dialects.objects import linked, only

VERSION = "admissionregistration.k8s.io/v1"
PODS = {
    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
    "resources": ["pods"],
}  # fmt: skip


def policy(*validations: dict[str, Any] | str, **spec: Any) -> dict[str, Any]:
    """A policy about pods; a text is a validation's expression."""
    given = [{"expression": one} if isinstance(one, str) else one for one in validations]
    constraints = {"matchConstraints": {"resourceRules": [PODS]}}
    return {
        "apiVersion": VERSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "p"},
        "spec": {**constraints, "validations": given, **spec},
    }


def binding(name: str = "b", **spec: Any) -> dict[str, Any]:
    """A binding of that policy, which denies."""
    return {
        "apiVersion": VERSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": "p", "validationActions": ["Deny"], **spec},
    }


def pod(**spec: Any) -> dict[str, Any]:
    """A pod in the namespace shop."""
    metadata = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def made(*values: dict[str, Any]) -> VapPolicy:
    """The one policy that these objects make; bound if none of them is a binding."""
    bound = any(value["kind"].endswith("Binding") for value in values)
    found = only(linked(Vap(), *values, *([] if bound else [binding()])))
    assert isinstance(found, VapPolicy)
    return found


def judged(values: tuple[dict[str, Any], ...] | dict[str, Any], asked: Review) -> list[Verdict]:
    """What the one policy says."""
    return list(made(*(values if isinstance(values, tuple) else (values,))).judge(asked))


def outcomes(values: tuple[dict[str, Any], ...] | dict[str, Any], asked: Review) -> list[str]:
    """The outcomes of its verdicts, `exempt` for those that are."""
    return ["exempt" if one.exempt else one.outcome for one in judged(values, asked)]
