"""Policies and objects of whatever shape: the log may hold anything, and nothing raises."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from shipper.rules.dialects.gatekeeper import Gatekeeper
from shipper.rules.dialects.policy import Dialect
from shipper.rules.dialects.vap import Vap
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.gatekeeper.support import constraint, template
from tests.rules.dialects.objects import linked, review
from tests.rules.dialects.vap.support import binding, pod, policy

_JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 70, 1.5, "", "x", "*", "\x00", "\ud800", [], [None], ["x"], {},
    {"": {}},
    {"matchLabels": {"a": 1}}, {"matchExpressions": [{"key": "a", "operator": "In"}]},
)  # fmt: skip

_SELECTOR = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["x"]}]}
_LIMIT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "m", "namespace": "shop", "labels": {"a": "b"}},
    "data": {"max": "1"},
}
_OF_VAP: list[dict[str, Any]] = [
    policy(
        {"expression": "size(object.spec) < int(params.data.max)", "messageExpression": "'a'"},
        "variables.v == 'web'",
        variables=[{"name": "v", "expression": "object.metadata.name"}],
        matchConditions=[{"name": "c", "expression": "request.namespace != 'x'"}],
        auditAnnotations=[{"key": "k", "valueExpression": "string(object.spec)"}],
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    ),
    binding(paramRef={"name": "m"}, matchResources={"namespaceSelector": _SELECTOR}),
    binding("s", paramRef={"selector": {"matchLabels": {"a": "b"}}, "namespace": "shop"}),
    _LIMIT,
]
_OF_GATEKEEPER: list[dict[str, Any]] = [
    template("variables.anyObject.metadata.name in variables.params.names", "variables.v",
             variables=[{"name": "v", "expression": "has(object.spec)"}]),
    constraint(parameters={"names": ["web"]}, match={
        "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "labelSelector": _SELECTOR,
        "namespaces": ["*"], "excludedNamespaces": ["y"], "name": "w*", "scope": "Namespaced",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("make", "values"), [(Vap, _OF_VAP), (Gatekeeper, _OF_GATEKEEPER)])
def test_no_object_breaks_the_reading_or_the_asking(
    make: type[Vap] | type[Gatekeeper], values: list[dict[str, Any]]
) -> None:
    """Each place of each object is replaced by things that have no business there."""
    chance = random.Random(0)
    dialect: Dialect = make()
    policies = 0
    for _ in range(250):
        changed = copy.deepcopy(values)
        for _ in range(chance.randint(1, 2)):
            holder, key = chance.choice(list(_places(changed)))
            holder[key] = copy.deepcopy(chance.choice(_JUNK))
        found = linked(dialect, *(one for one in changed if _is_named(one)))
        policies += len(found.policies)
        for one in found.policies:
            assert one.may_concern(review(pod()).target) in (True, False)
            for asked in (pod(), pod(junk=chance.choice(_JUNK)) | {"metadata": {"name": "web"}}):
                one.judge(review(asked))
                one.judge(review(asked, operation="UPDATE", old=UNBOUND))
    assert policies > 10


@pytest.mark.parametrize("junk", _JUNK)
def test_no_object_under_review_breaks_the_asking(junk: Any) -> None:
    """What is stored may be anything that a custom resource allows."""
    for dialect, values in ((Vap(), _OF_VAP), (Gatekeeper(), _OF_GATEKEEPER)):
        (one,) = linked(dialect, *values).policies
        for key in ("metadata", "spec", "kind", "apiVersion"):
            asked = review(pod())
            body = {**asked.object, key: junk}
            for shown in (body, junk):
                odd = type(asked)(target=asked.target, namespace="shop", name="web", identity=None,
                                  object=shown, old_object=UNBOUND)  # fmt: skip
                one.judge(odd)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if key not in ("apiVersion", "kind", "metadata") or not isinstance(value, list):
            yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


def _is_named(value: Any) -> bool:
    """The loader takes no other object."""
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return False
    texts = (value.get("apiVersion"), value.get("kind"), value["metadata"].get("name"))
    namespace = value["metadata"].get("namespace", "")
    return all(isinstance(text, str) for text in (*texts, namespace))
