"""Which reviews a constraint is meant for."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.review import Operation, Review, Target
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.gatekeeper.support import constraint, judged, made, template
from tests.rules.dialects.objects import review
from tests.rules.dialects.vap.support import pod

NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "shop", "labels": {"a": "b"}},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}


def _met(match: dict[str, Any], asked: Review, *more: dict[str, Any]) -> str:
    found = judged((template("false"), constraint(match=match), *more), asked)
    return ("exempt" if found[0].exempt else found[0].outcome) if found else ""


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ({}, "fail"),
        ({"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, "fail"),
        ({"kinds": [{"apiGroups": ["*"], "kinds": ["*"]}]}, "fail"),
        ({"kinds": [{"kinds": ["Service", "Pod"]}]}, "fail"),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["Pod"]}]}, ""),
        ({"kinds": [{"kinds": ["Service"]}, {"apiGroups": [""]}]}, "fail"),
        ({"scope": "Namespaced"}, "fail"),
        ({"scope": "Cluster"}, ""),
        ({"namespaces": ["sh*"]}, "fail"),
        ({"namespaces": ["*op"]}, "fail"),
        ({"namespaces": ["*ho*"]}, "fail"),
        ({"namespaces": ["sho", "op"]}, ""),
        ({"excludedNamespaces": ["kube-*", "sh*"]}, "exempt"),
        ({"excludedNamespaces": ["kube-*"]}, "fail"),
        ({"labelSelector": {"matchLabels": {"app": "web"}}}, "fail"),
        ({"labelSelector": {"matchLabels": {"app": "api"}}}, ""),
        ({"labelSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}},
         "exempt"),
        ({"namespaceSelector": {"matchLabels": {"env": "prod"}}}, "indeterminate"),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}, "fail"),
        ({"name": "we*"}, "fail"),
        ({"name": "api"}, ""),
        ({"source": "Original"}, "fail"),
        ({"source": "Generated"}, ""),
    ],
)  # fmt: skip
def test_a_match_block_selects_a_pod(match: dict[str, Any], met: str) -> None:
    """Every part of it must; an exclusion exempts."""
    assert _met(match, review(pod())) == met


def test_what_stands_in_no_namespace_is_left_out_by_none() -> None:
    """A Namespace is met by its own name and labels."""
    assert _met({"namespaces": ["shop"], "excludedNamespaces": ["*"]}, review(NODE)) == "fail"
    assert _met({"namespaces": ["shop"]}, review(NAMESPACE)) == "fail"
    assert _met({"excludedNamespaces": ["shop"]}, review(NAMESPACE)) == "exempt"
    assert _met({"namespaceSelector": {"matchLabels": {"a": "b"}}}, review(NAMESPACE)) == "fail"
    assert _met({"namespaceSelector": {"matchLabels": {"a": "c"}}}, review(NAMESPACE)) == ""
    assert _met({"scope": "Cluster"}, review(NAMESPACE)) == "fail"


def test_a_generated_name_is_met_by_its_prefix() -> None:
    """The API server has not made the name yet when Gatekeeper is asked."""
    generated = pod()
    generated["metadata"] = {"generateName": "web-", "namespace": "shop"}
    assert _met({"name": "web-*"}, review(generated)) == "fail"
    assert _met({"name": "api-*"}, review(generated)) == ""


@pytest.mark.parametrize(
    ("operations", "operation", "subresource", "concerns"),
    [
        (None, "CREATE", "", True),
        (None, "UPDATE", "", True),
        (None, "DELETE", "", False),
        (["DELETE"], "DELETE", "", True),
        (["DELETE"], "CREATE", "", False),
        (["*"], "DELETE", "", True),
        (None, "UPDATE", "status", False),
        (None, "UPDATE", "ephemeralcontainers", True),
    ],
)
def test_the_webhook_is_told_of_some_requests_alone(
    operations: list[str] | None, operation: Operation, subresource: str, concerns: bool
) -> None:
    """As it is installed: no deletions unless the template names them, few subresources."""
    one = made(template("false", operations=operations), constraint())
    asked = review(pod(), operation=operation, subresource=subresource)
    assert one.may_concern(asked.target) is concerns
    assert bool(one.judge(asked)) is concerns


def test_namespaces_that_gatekeeper_itself_leaves_out_are_exempt() -> None:
    """By its Config, or by the label that its webhook does not look at."""
    config = {
        "apiVersion": "config.gatekeeper.sh/v1alpha1",
        "kind": "Config",
        "metadata": {"name": "config", "namespace": "gatekeeper-system"},
        "spec": {"match": [{"excludedNamespaces": ["sho*"], "processes": ["webhook"]},
                           {"excludedNamespaces": ["x"], "processes": ["audit"]}]},
    }  # fmt: skip
    assert _met({}, review(pod()), config) == "exempt"
    config["spec"] = {"match": [{"excludedNamespaces": ["sho*"], "processes": ["audit"]}]}
    assert _met({}, review(pod()), config) == "fail"
    labels = {"admission.gatekeeper.sh/ignore": "yes"}
    ignored = {"metadata": {"name": "shop", "labels": labels}}
    assert _met({}, review(pod(), namespace_object=ignored)) == "exempt"


def test_a_kind_that_is_not_known_is_unknown() -> None:
    """Before its body is read the resource alone decides: in doubt it is asked."""
    match = {"kinds": [{"apiGroups": ["x.io"], "kinds": ["Thing"]}]}
    one = made(template("false"), constraint(match=match))
    target = Target("CREATE", "x.io", "v1", "things", "", "")
    assert one.may_concern(target)
    asked = Review(target=target, namespace="", name="a", identity=None, object=UNBOUND)
    assert [verdict.outcome for verdict in one.judge(asked)] == ["indeterminate"]
    assert not one.may_concern(target._replace(group="y.io"))
