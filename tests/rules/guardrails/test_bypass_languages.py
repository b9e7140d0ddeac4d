"""Real policies of each admission language, and what is told of a write that came past them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shipper.config import Rules
from shipper.model import Finding
from shipper.rules.engine import Engine
from shipper.rules.load import load_rules
from tests.rules.guardrails.test_bypass import create
from tests.rules.support import written

VAP = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-host-network}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [pods]}
  validations:
    - expression: "!has(object.spec.hostNetwork) || !object.spec.hostNetwork"
      message: no host network
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: everywhere-else}
spec:
  policyName: no-host-network
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchExpressions:
        - {key: kubernetes.io/metadata.name, operator: NotIn, values: [agents]}
"""

KYVERNO = """
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: no-host-network}
spec:
  validationFailureAction: Enforce
  rules:
    - name: host-network
      match: {any: [{resources: {kinds: [Pod]}}]}
      validate:
        message: no host network
        pattern: {spec: {"=(hostNetwork)": false}}
"""

EXCEPTION = """
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: agents, namespace: kyverno}
spec:
  exceptions: [{policyName: no-host-network, ruleNames: [host-network]}]
  match: {any: [{resources: {kinds: [Pod], namespaces: [agents]}}]}
"""

GATEKEEPER = """
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: nohostnetwork}
spec:
  crd: {spec: {names: {kind: NoHostNetwork}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      code:
        - engine: K8sNativeValidation
          source:
            validations:
              - expression: "!has(variables.anyObject.spec.hostNetwork)"
                message: no host network
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: NoHostNetwork
metadata: {name: pods}
spec:
  enforcementAction: %s
  match:
    kinds: [{apiGroups: [""], kinds: [Pod]}]
    excludedNamespaces: [agents]
"""


def pod(namespace: str, **spec: Any) -> bytes:
    metadata = {"name": "web", "namespace": namespace}
    body = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec}
    ref = {"resource": "pods", "namespace": namespace, "name": "web", "apiVersion": "v1"}
    return create(objectRef=ref, responseObject=body)


def found(directory: Path, text: str) -> list[Finding]:
    """Of a good pod, of a bad one, and of a bad one in a namespace that is left out."""
    rules = load_rules(Rules("none", [str(written(directory, text))]))
    bad = {"hostNetwork": True, "containers": []}
    lines = [pod("prod", containers=[]), pod("prod", **bad), pod("agents", **bad)]
    return Engine(rules).evaluate(lines)


@pytest.mark.parametrize(
    ("text", "kind", "severities"),
    [
        (VAP, "ValidatingAdmissionPolicy", [(1, "high"), (2, "info")]),
        (KYVERNO, "ClusterPolicy", [(1, "high"), (2, "high")]),
        (KYVERNO + "---" + EXCEPTION, "ClusterPolicy", [(1, "high"), (2, "info")]),
        (GATEKEEPER % "deny", "NoHostNetwork", [(1, "high"), (2, "info")]),
        (GATEKEEPER % "dryrun", "NoHostNetwork", [(1, "low"), (2, "info")]),
    ],
)
def test_each_language_is_judged(
    tmp_path: Path, text: str, kind: str, severities: list[tuple[int, str]]
) -> None:
    """A failure is high where it is denied and low where it is watched; an exclusion is info."""
    told = found(tmp_path, text)
    assert [(one.line, one.severity) for one in told] == severities
    assert {one.guardrail.kind for one in told if one.guardrail} == {kind}
    assert all("no host network" in one.message for one in told if one.severity != "info")


def test_policies_of_all_languages_stand_together(tmp_path: Path) -> None:
    """In one file, in any order; each tells for itself."""
    told = found(tmp_path, "---".join([GATEKEEPER % "deny", EXCEPTION, VAP, KYVERNO]))
    bad = [one.guardrail.kind for one in told if one.guardrail and one.line == 1]
    assert sorted(bad) == ["ClusterPolicy", "NoHostNetwork", "ValidatingAdmissionPolicy"]
