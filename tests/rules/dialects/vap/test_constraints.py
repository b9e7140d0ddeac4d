"""Which requests a policy, and a binding, are meant for."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.review import Operation
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.objects import review
from tests.rules.dialects.vap.support import PODS, binding, made, outcomes, pod, policy

POD = pod()
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
}
NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "shop", "labels": {"env": "prod"}},
}
ALL = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}


def _met(value: dict[str, Any], rule: dict[str, Any], **given: Any) -> list[str]:
    constraints = {"resourceRules": [rule], **given.pop("constraints", {})}
    return outcomes(policy("false", matchConstraints=constraints), review(value, **given))


@pytest.mark.parametrize(
    ("rule", "operation", "subresource", "met"),
    [
        (PODS, "CREATE", "", True),
        (PODS, "DELETE", "", False),
        (PODS, "UPDATE", "status", False),
        ({**PODS, "resources": ["pods/status"]}, "UPDATE", "status", True),
        ({**PODS, "resources": ["pods/*"]}, "UPDATE", "status", True),
        ({**PODS, "resources": ["pods/*"]}, "UPDATE", "", True),
        ({**PODS, "resources": ["*/status"]}, "UPDATE", "status", True),
        ({**PODS, "resources": ["*"]}, "UPDATE", "status", False),
        ({**PODS, "resources": ["*/*"]}, "UPDATE", "status", True),
        ({**PODS, "operations": ["*"]}, "DELETE", "", True),
        ({**PODS, "apiGroups": ["apps"]}, "CREATE", "", False),
        ({**PODS, "apiGroups": ["*"]}, "CREATE", "", True),
        ({**PODS, "resourceNames": ["web"]}, "CREATE", "", True),
        ({**PODS, "resourceNames": ["api"]}, "CREATE", "", False),
        ({**PODS, "scope": "Namespaced"}, "CREATE", "", True),
        ({**PODS, "scope": "Cluster"}, "CREATE", "", False),
    ],
)
def test_a_rule_names_operations_and_resources(
    rule: dict[str, Any], operation: Operation, subresource: str, met: bool
) -> None:
    """As in the API server: `pods` means no subresource, `pods/*` pods themselves too."""
    found = _met(POD, rule, operation=operation, subresource=subresource)
    assert found == (["fail"] if met else [])


@pytest.mark.parametrize(("scope", "met"), [("Cluster", True), ("Namespaced", False), ("*", True)])
def test_a_namespace_stands_in_none(scope: str, met: bool) -> None:
    """Also where the request names it as its own namespace."""
    assert _met(NAMESPACE, {**ALL, "scope": scope}) == (["fail"] if met else [])


def test_another_version_of_the_resource_is_meant_but_can_not_be_judged() -> None:
    """The API server would convert the object; with Exact it is not asked at all."""
    old = {**PODS, "apiGroups": ["extensions"], "apiVersions": ["v1beta1"],
           "resources": ["deployments"]}  # fmt: skip
    assert _met(DEPLOYMENT, old) == ["indeterminate"]
    assert _met(DEPLOYMENT, {**old, "apiGroups": ["apps"]}) == ["indeterminate"]
    assert _met(DEPLOYMENT, old, constraints={"matchPolicy": "Exact"}) == []
    passes = policy("true", matchConstraints={"resourceRules": [old]})
    assert outcomes(passes, review(DEPLOYMENT)) == ["indeterminate"]
    assert made(policy("true", matchConstraints={"resourceRules": [old]})).may_concern(
        review(DEPLOYMENT).target
    )


def test_an_excluded_resource_is_exempt() -> None:
    """excludeResourceRules is an exclusion, so a failure behind it is told as one."""
    excluded = {"excludeResourceRules": [{**PODS, "resourceNames": ["web"]}]}
    assert _met(POD, ALL, constraints=excluded) == ["exempt"]
    assert _met(DEPLOYMENT, ALL, constraints=excluded) == ["fail"]


@pytest.mark.parametrize(
    ("selector", "labels", "found"),
    [
        ({"matchLabels": {"env": "prod"}}, {"env": "prod"}, ["fail"]),
        ({"matchLabels": {"env": "prod"}}, {"env": "test"}, []),
        ({"matchLabels": {"env": "prod"}}, None, ["indeterminate"]),
        ({"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["test"]}]},
         {"env": "test"}, ["exempt"]),
        ({"matchLabels": {"kubernetes.io/metadata.name": "shop"}}, None, ["fail"]),
        ({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn",
                                "values": ["shop"]}]}, None, ["exempt"]),
    ],
)  # fmt: skip
def test_a_namespace_selector_selects_by_what_is_known(
    selector: dict[str, Any], labels: dict[str, str] | None, found: list[str]
) -> None:
    """The label that the API server sets from the name is always known."""
    shown = UNBOUND if labels is None else {"metadata": {"name": "shop", "labels": labels}}
    given: dict[str, Any] = {"constraints": {"namespaceSelector": selector}}
    assert _met(POD, PODS, namespace_object=shown, **given) == found


def test_a_namespace_is_selected_by_its_own_labels() -> None:
    """And what stands in no namespace always is."""
    given: dict[str, Any] = {"constraints": {"namespaceSelector": {"matchLabels": {"env": "prod"}}}}
    assert _met(NAMESPACE, ALL, **given) == ["fail"]
    other = {**NAMESPACE, "metadata": {"name": "shop", "labels": {"env": "test"}}}
    assert _met(other, ALL, **given) == []
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    assert _met(node, ALL, **given) == ["fail"]


def test_an_object_selector_selects_the_object_as_it_is_or_was() -> None:
    """What it was is not known of an update: then a failure is indeterminate."""
    given: dict[str, Any] = {"constraints": {"objectSelector": {"matchLabels": {"app": "api"}}}}
    assert _met(POD, PODS, **given) == []
    assert _met(POD, PODS, operation="UPDATE", old=UNBOUND, **given) == ["indeterminate"]
    was = {**POD, "metadata": {**POD["metadata"], "labels": {"app": "api"}}}
    assert _met(POD, PODS, operation="UPDATE", old=was, **given) == ["fail"]
    assert _met(was, PODS, operation="UPDATE", old=UNBOUND, **given) == ["fail"]


def test_a_binding_narrows_its_policy() -> None:
    """Both must mean the request; what a binding excludes is exempt from it alone."""
    not_shop = {"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["shop"]}
    ]}  # fmt: skip
    narrow = binding("n", matchResources={"resourceRules": [{**PODS, "resourceNames": ["api"]}]})
    apart = binding("x", matchResources={"namespaceSelector": not_shop})
    values = (policy("false"), binding(), narrow, apart)
    assert outcomes(values, review(POD)) == ["fail", "exempt"]
