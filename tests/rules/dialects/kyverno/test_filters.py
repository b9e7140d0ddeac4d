"""What Kyverno by default does not look at."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.review import Identity
from tests.rules.dialects.kyverno.policies import pod, policy, says, verdicts
from tests.rules.dialects.objects import review

_ANY = {"any": [{"resources": {"kinds": ["*"]}}]}


def _object(kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    group = {"ReplicaSet": "apps/v1"}.get(kind, "v1")
    return {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (pod(namespace="kube-system"), "the namespace kube-system"),
        (_object("Namespace", "kube-public"), "the namespace kube-public"),
        (_object("ReplicaSet", "web", "shop"), "a ReplicaSet"),
        (_object("Node", "n1"), "a Node"),
    ],
)
def test_what_fails_there_is_exempt_and_says_why(value: dict[str, Any], reason: str) -> None:
    """It is no failure of the cluster's; what passes passes."""
    (verdict,) = verdicts(policy({"deny": {}}, match=_ANY), value)
    assert verdict.outcome == "fail"
    assert verdict.exempt.endswith(reason)
    passing = policy({"pattern": {"metadata": {"name": "?*"}}}, match=_ANY)
    assert says(passing, value) == "pass"


def test_requests_of_nodes_are_exempt() -> None:
    """The kubelet's mirror pods; others are not."""
    kubelet = Identity(username="system:node:n1", groups=("system:nodes",))
    assert says(policy({"deny": {}}), review(pod(), identity=kubelet)) == "fail, exempt"
    assert says(policy({"deny": {}}), review(pod(), identity=Identity("bob"))) == "fail"


def test_nothing_is_left_open_there() -> None:
    """What could not be answered needs no answer."""
    call = {"name": "x", "apiCall": {"urlPath": "/x"}}
    condition = {"key": "{{ x }}", "operator": "Equals", "value": "a"}
    rule = policy({"deny": {"conditions": {"any": [condition]}}}, context=[call])
    assert says(rule, pod(namespace="kube-system")) == "nothing"
    assert says(rule, pod()) == "indeterminate"
