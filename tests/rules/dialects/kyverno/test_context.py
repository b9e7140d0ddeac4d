"""Context entries of rules."""

from __future__ import annotations

from typing import Any

from tests.rules.dialects.kyverno.policies import pod, policy, says, verdicts


def _rule(*entries: dict[str, Any], key: str = "{{ x }}", value: Any = "web") -> dict[str, Any]:
    conditions = {"all": [{"key": key, "operator": "Equals", "value": value}]}
    return policy({"deny": {"conditions": conditions}}, context=list(entries))


def _variable(name: str = "x", **variable: Any) -> dict[str, Any]:
    return {"name": name, "variable": variable}


def test_a_variable_is_a_value_a_query_or_both() -> None:
    """With a default for what is not there."""
    assert says(_rule(_variable(value="web")), pod()) == "fail"
    assert says(_rule(_variable(jmesPath="request.object.metadata.name")), pod()) == "fail"
    assert says(_rule(_variable(value={"a": "web"}, jmesPath="a")), pod()) == "fail"
    assert says(_rule(_variable(jmesPath="request.object.q", default="web")), pod()) == "fail"
    assert says(_rule(_variable(value="{{ request.object.metadata.name }}")), pod()) == "fail"


def test_a_variable_may_ask_for_another() -> None:
    """In whatever order they are made, each is made once it is asked for."""
    entries = (_variable("y", value="{{ x }}"), _variable("x", value="web"))
    assert says(_rule(*entries, key="{{ y }}"), pod()) == "fail"


def test_a_variable_that_asks_for_itself_is_indeterminate() -> None:
    """Alone, or in a ring."""
    assert says(_rule(_variable(value="{{ x }}")), pod()) == "indeterminate"
    ring = (_variable(value="{{ y }}"), _variable("y", value="{{ x }}"))
    assert says(_rule(*ring), pod()) == "indeterminate"


def test_a_variable_that_is_nothing_is_the_rules_error() -> None:
    """Kyverno refuses the request; under failurePolicy Ignore it lets it by."""
    nothing = _rule(_variable(jmesPath="request.object.q"))
    (verdict,) = verdicts(nothing, pod())
    assert verdict.outcome == "fail"
    assert "could not be evaluated" in verdict.message
    nothing["spec"]["failurePolicy"] = "Ignore"
    assert says(nothing, pod()) == "pass"


def test_what_needs_the_cluster_is_indeterminate_only_where_it_is_asked_for() -> None:
    """A rule that is decided without it is decided."""
    call = {"name": "x", "apiCall": {"urlPath": "/api/v1/pods"}}
    assert says(_rule(call), pod()) == "indeterminate"
    assert says(_rule(call, key="a", value="b"), pod()) == "pass"
    conditions = [
        {"key": "{{ x }}", "operator": "Equals", "value": "a"},
        {"key": "a", "operator": "Equals", "value": "{{ 'a' }}"},
    ]
    either = policy({"deny": {"conditions": {"any": conditions}}}, context=[call])
    assert says(either, pod()) == "fail"
    both = policy(
        {"deny": {"conditions": {"all": [conditions[0], {**conditions[1], "key": "b"}]}}},
        context=[call],
    )
    assert says(both, pod()) == "pass"


def test_a_config_map_beside_the_policy_answers() -> None:
    """One that is not there is indeterminate, and named."""
    entry = {"name": "x", "configMap": {"name": "allowed", "namespace": "ops"}}
    rule = _rule(entry, key="{{ x.data.name }}")
    there = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "allowed", "namespace": "ops"},
        "data": {"name": "web"},
    }
    assert says(rule, pod(), there) == "fail"
    (verdict,) = verdicts(rule, pod())
    assert verdict.outcome == "indeterminate"
    assert "ops/allowed" in verdict.message
