"""Templates and constraints for tests of Gatekeeper."""

from __future__ import annotations

from typing import Any

from shipper.rules.dialects.gatekeeper import Gatekeeper
from shipper.rules.dialects.gatekeeper.policy import ConstraintPolicy
from shipper.rules.dialects.policy import Verdict
from shipper.rules.dialects.review import Review
from tests.rules.dialects.objects import linked, only


def template(
    *validations: dict[str, Any] | str, operations: Any = None, **source: Any
) -> dict[str, Any]:
    """A template of the kind Rule, in CEL; a text is a validation's expression."""
    given = [{"expression": one} if isinstance(one, str) else one for one in validations]
    code = {"engine": "K8sNativeValidation", "source": {"validations": given, **source}}
    target = {"target": "admission.k8s.gatekeeper.sh", "code": [code]}
    if operations is not None:
        target["operations"] = operations
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "rule"},
        "spec": {"crd": {"spec": {"names": {"kind": "Rule"}}}, "targets": [target]},
    }


def constraint(**spec: Any) -> dict[str, Any]:
    """A constraint of that template."""
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "Rule",
        "metadata": {"name": "c"},
        "spec": spec,
    }


def made(*values: dict[str, Any]) -> ConstraintPolicy:
    """The one policy that these objects make."""
    found = only(linked(Gatekeeper(), *values))
    assert isinstance(found, ConstraintPolicy)
    return found


def judged(values: tuple[dict[str, Any], ...], asked: Review) -> list[Verdict]:
    """What the one constraint says."""
    return list(made(*values).judge(asked))
