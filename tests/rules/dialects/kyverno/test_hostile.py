"""Policies and objects that mean harm: bounded, indeterminate, named."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shipper.rules.dialects.kyverno import Kyverno
from tests.rules.dialects.kyverno.policies import pod, policy, verdicts
from tests.rules.dialects.objects import linked

_MAX_SECONDS = 5
"""Far above what the limits allow, far below what any of these would take without them."""


def _indeterminate(document: dict[str, Any], value: dict[str, Any]) -> str:
    start = time.perf_counter()
    (verdict,) = verdicts(document, value)
    assert time.perf_counter() - start < _MAX_SECONDS
    assert verdict.outcome == "indeterminate"
    return verdict.message


def _equals(key: str) -> dict[str, Any]:
    condition = {"key": key, "operator": "Equals", "value": "x"}
    return policy({"deny": {"conditions": {"any": [condition]}}})


@pytest.mark.parametrize(
    "key",
    [
        "{{ " + "|".join(["[@, @]"] * 100) + " }}",
        "{{ request.object | " + "|".join(["join('', [to_string(@), to_string(@)])"] * 60) + " }}",
        "{{ regex_match('" + "(a?){1000}" * 300 + "', 'a') }}",
        "{{ request.object.metadata.annotations.big | regex_match('.*.*=.*', @) | [@, @] }}",
        "{{ pattern_match('" + "?" * 5000 + "', 'a') }}",
        "{{ " + "(" * 5000 + "a" + ")" * 5000 + " }}",
    ],
)
def test_a_query_that_costs_too_much(key: str) -> None:
    """JMESPath that recurses or multiplies, and regular expressions that are bombs."""
    big = pod(annotations={"big": "a" * 500_000})
    start = time.perf_counter()
    verdicts(_equals(key), big)
    assert time.perf_counter() - start < _MAX_SECONDS


def test_a_query_that_doubles_is_indeterminate_and_named() -> None:
    """The reason says that it is the cost."""
    message = _indeterminate(_equals("{{ " + "|".join(["[@, @]"] * 100) + " }}"), pod())
    assert "cost limit" in message


def test_a_policy_that_multiplies_with_the_object() -> None:
    """A thousand alternatives against ten thousand values."""
    pattern = {"spec": {"^(containers)": [{"name": f"n{at}"} for at in range(1000)]}}
    containers = [{"name": f"m{at}"} for at in range(10_000)]
    # An existence anchor fails at the first alternative that nothing matches: so all must match
    # late, which makes the policy as dear as it can be.
    containers += [{"name": f"n{at}"} for at in range(1000)]
    message = _indeterminate(policy({"pattern": pattern}), pod({"containers": containers}))
    assert "cost limit" in message


def test_lists_against_lists() -> None:
    """AnyIn compares each with each."""
    condition = {
        "key": "{{ request.object.spec.a }}",
        "operator": "AllIn",
        "value": "{{ request.object.spec.a }}",
    }
    rule = policy({"deny": {"conditions": {"any": [condition]}}})
    items = [f"*x{at}" for at in range(5000)]
    assert "cost limit" in _indeterminate(rule, pod({"a": items}))


def test_loops_within_loops() -> None:
    """The innermost one would be asked 10^8 times."""
    loop: dict[str, Any] = {"list": "request.object.spec.a", "deny": {"conditions": {"any": []}}}
    for _ in range(3):
        loop = {"list": "request.object.spec.a", "foreach": [loop]}
    rule = policy({"foreach": [loop]})
    assert "cost limit" in _indeterminate(rule, pod({"a": list(range(100))}))


def test_a_value_nested_without_end() -> None:
    """Patterns, queries and comparisons of it end."""
    deep: dict[str, Any] = {"x": 1}
    for _ in range(5000):
        deep = {"a": deep}
    value = pod({"deep": deep})
    same = {
        "key": "{{ request.object.spec.deep }}",
        "operator": "Equals",
        "value": "{{ request.object.spec.deep | @ }}",
    }
    rule = policy({"deny": {"conditions": {"any": [same]}}})
    assert "too deeply" in _indeterminate(rule, value)


def test_selectors_that_multiply_with_the_object() -> None:
    """Each annotation of the policy would be held against each of the object."""
    wanted = {f"?a{at}": "x" for at in range(2000)}
    match = {"any": [{"resources": {"kinds": ["Pod"], "annotations": wanted}}]}
    value = pod(annotations={f"b{at}": "y" for at in range(2000)})
    assert "cost limit" in _indeterminate(policy({"deny": {}}, match=match), value)


def test_containers_that_multiply_with_exclusions() -> None:
    """Of thousands of containers, each violating what is excluded."""
    bad = {"capabilities": {"add": ["NET_ADMIN"]}}
    containers = [{"name": f"c{at}", "image": "a", "securityContext": bad} for at in range(3000)]
    exclude = [{"controlName": "Capabilities", "images": ["*"]}] * 3
    rule = policy({"podSecurity": {"level": "baseline", "exclude": exclude}})
    assert "cost limit" in _indeterminate(rule, pod({"containers": containers}))


def test_a_policy_nested_without_end_is_a_problem() -> None:
    """As it may come from a log; the others stand."""
    deep: dict[str, Any] = {"x": 1}
    for _ in range(5000):
        deep = {"a": deep}
    other = policy({"deny": {}})
    other["metadata"] = {"name": "other"}
    found = linked(Kyverno(), policy({"pattern": deep}), other)
    assert [made.ident.name for made in found.policies] == ["other"]
    assert "nested deeper" in str(found.problems[0])


def test_a_policy_with_a_text_that_is_none_is_a_problem() -> None:
    """A lone surrogate can not be compared, matched or converted."""
    found = linked(Kyverno(), policy({"pattern": {"a": "\ud800"}}))
    assert "surrogate" in str(found.problems[0])


def test_labels_that_are_expressions_are_bounded() -> None:
    """A value that is looked into again, because Kyverno does, may not go on for ever."""
    label = "{{ request.object.metadata.labels.a }} {{ request.object.metadata.labels.a }}"
    rule = _equals("<{{ request.object.metadata.labels.a }}>")
    assert "cost limit" in _indeterminate(rule, pod(labels={"a": label}))


def test_the_limits_are_far_from_real_policies() -> None:
    """A pod of a hundred containers is judged."""
    containers = [{"name": f"c{at}", "image": "nginx:1"} for at in range(100)]
    loop = {
        "list": "request.object.spec.containers",
        "deny": {
            "conditions": {
                "any": [
                    {
                        "key": '{{ images.containers."{{ element.name }}".registry }}',
                        "operator": "AnyNotIn",
                        "value": ["docker.io", "ghcr.io"],
                    }
                ]
            }
        },
    }
    (verdict,) = verdicts(policy({"foreach": [loop]}), pod({"containers": containers}))
    assert verdict.outcome == "pass"
