"""Parameters of a ValidatingAdmissionPolicy."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.policy import Source
from shipper.rules.dialects.vap import Vap
from tests.rules.dialects.objects import ident_of, linked, review
from tests.rules.dialects.vap.support import binding, judged, made, outcomes, pod, policy

KIND = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}
LIMITED = policy("size(object.spec.containers) <= int(params.data.max)", **KIND)
TWO = review(pod(containers=[{"name": "a"}, {"name": "b"}]))


def _limit(
    maximum: int, name: str = "limits", namespace: str = "", **labels: str
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if namespace:
        metadata["namespace"] = namespace
    data = {"max": str(maximum)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _bound(**ref: Any) -> dict[str, Any]:
    return binding(paramRef={"parameterNotFoundAction": "Deny", **ref})


def test_a_parameter_is_found_by_its_name() -> None:
    """In the namespace that the binding names; without one in a file, in the default one."""
    bound = _bound(name="limits", namespace="default")
    assert outcomes((LIMITED, bound, _limit(1)), TWO) == ["fail"]
    assert outcomes((LIMITED, bound, _limit(2)), TWO) == ["pass"]
    values = (LIMITED, bound, _limit(2))
    assert [part.name for part in made(*values).parts] == ["p", "b", "limits"]


@pytest.mark.parametrize(
    "ref", [{"name": "limits"}, {"selector": {"matchLabels": {"for": "pods"}}}]
)
def test_an_object_that_no_binding_means_is_no_part(
    ref: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A policy came into being before each of a cluster's other ConfigMaps, and changes with none
    of them."""
    dialect, bound = Vap(), _bound(**ref, namespace="default")
    values = [LIMITED, bound, _limit(2, **{"for": "pods"})]
    objects = {ident_of(one): Source(one, None) for one in values}
    dialect.link(objects)
    monkeypatch.setattr("shipper.rules.dialects.vap.dialect.Maker", None)  # it need not be made
    other = _limit(1, "other")
    (after,) = dialect.link({**objects, ident_of(other): Source(other, None)}).policies
    assert [part.name for part in after.parts] == ["p", "b", "limits"]


@pytest.mark.parametrize("ref", ["limits", {"selector": "x"}, {"selector": {"matchLabels": 1}}])
def test_a_reference_that_is_none_is_a_problem(ref: Any) -> None:
    """Whatever it is, it is said with the binding."""
    objects = [LIMITED, binding(paramRef=ref), _limit(1)]
    assert any("paramRef" in str(one) for one in linked(Vap(), *objects).problems)


def test_each_parameter_that_a_selector_selects_is_asked() -> None:
    """So one that is stricter than the others decides."""
    bound = _bound(selector={"matchLabels": {"for": "pods"}}, namespace="ops")
    strict = _limit(1, "strict", "ops", **{"for": "pods"})
    loose = _limit(9, "loose", "ops", **{"for": "pods"})
    other = _limit(0, "other", "ops")
    assert outcomes((LIMITED, bound, strict, loose, other), TWO) == ["fail", "pass"]


def test_without_a_namespace_the_parameters_are_those_of_the_requests_own() -> None:
    """Each team's limits for each team's pods."""
    values = (LIMITED, _bound(name="limits"), _limit(1, namespace="shop"), _limit(9, namespace="x"))
    assert outcomes(values, TWO) == ["fail"]
    elsewhere = pod(containers=[{"name": "a"}, {"name": "b"}])
    elsewhere["metadata"]["namespace"] = "x"
    assert outcomes(values, review(elsewhere)) == ["pass"]
    elsewhere["metadata"]["namespace"] = "y"
    (verdict,) = judged(values, review(elsewhere))
    assert (verdict.outcome, verdict.message) == (
        "indeterminate", "ConfigMap y/limits is not here"
    )  # fmt: skip


@pytest.mark.parametrize("action", ["Deny", "Allow"])
def test_a_parameter_that_was_not_given_is_unknown(action: str) -> None:
    """It may well be in the cluster; said at load, whatever parameterNotFoundAction says."""
    values = (LIMITED, _bound(name="limits", namespace="ops", parameterNotFoundAction=action))
    (verdict,) = judged(values, TWO)
    assert (verdict.outcome, verdict.rule) == ("indeterminate", "b: params")
    assert made(*values).unanswerable == ("b: ConfigMap ops/limits is not here",)


def test_a_cluster_wide_parameter_has_no_namespace() -> None:
    """Of a kind that no table has, the objects themselves tell."""
    kind = {"paramKind": {"apiVersion": "x.io/v1", "kind": "Limit"}}
    limit = {"apiVersion": "x.io/v1", "kind": "Limit", "metadata": {"name": "l"}, "max": 1}
    values = policy("size(object.spec.containers) <= params.max", **kind)
    assert outcomes((values, _bound(name="l"), limit), TWO) == ["fail"]


def test_a_policy_whose_binding_names_no_parameters_sees_null() -> None:
    """As the API server binds it."""
    assert outcomes(policy("params == null", **KIND), TWO) == ["pass"]


def test_parameters_too_large_for_an_expression_are_bound_beside_it() -> None:
    """The answer is the same."""
    kind = {"paramKind": {"apiVersion": "x.io/v1", "kind": "Limit"}}
    limit: dict[str, Any] = {"apiVersion": "x.io/v1", "kind": "Limit", "metadata": {"name": "l"}}
    limit["names"] = [f"name-{n}" for n in range(3000)]
    values = policy("object.spec.containers.all(c, c.name in params.names)", **kind)
    assert outcomes((values, _bound(name="l"), limit), TWO) == ["fail"]
    known = review(pod(containers=[{"name": "name-2999"}]))
    assert outcomes((values, _bound(name="l"), limit), known) == ["pass"]


def test_parameters_nested_too_deeply_for_an_expression_are_bound_beside_it() -> None:
    """Hostile or not, they make no policy fail to load."""
    deep: Any = "x"
    for _ in range(80):
        deep = [deep]
    kind = {"paramKind": {"apiVersion": "x.io/v1", "kind": "Limit"}}
    limit = {"apiVersion": "x.io/v1", "kind": "Limit", "metadata": {"name": "l"}, "deep": deep}
    values = policy("size(params.deep) == 1", **kind)
    assert outcomes((values, _bound(name="l"), limit), TWO) == ["pass"]


def test_parameters_of_several_bindings_are_not_mixed_up() -> None:
    """Also where they are bound beside the expressions, one after the other."""
    values = (
        LIMITED,
        binding("a", paramRef={"name": "a"}), binding("z", paramRef={"name": "z"}),
        _limit(1, "a", "shop"), _limit(9, "z", "shop"),
    )  # fmt: skip
    one = made(*values)
    for _ in range(3):
        assert [verdict.outcome for verdict in one.judge(TWO)] == ["fail", "pass"]


def test_the_dialect_wants_the_kinds_of_parameters() -> None:
    """So that the loader takes them for what they are."""
    assert set(Vap().wants({ident_of(LIMITED): Source(LIMITED, None)})) == {("", "ConfigMap")}
    plain = policy("true")
    assert not Vap().wants({ident_of(plain): Source(plain, None)})


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ({"name": "a", "selector": {}}, "needs one of name and selector"),
        ({}, "needs one of name and selector"),
        ({"selector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}, "Like"),
    ],
)
def test_a_reference_that_says_two_things_or_none_is_a_problem(
    ref: dict[str, Any], reason: str
) -> None:
    """The API server would not take it."""
    (problem,) = linked(Vap(), LIMITED, _bound(**ref)).problems
    assert reason in problem.reason
