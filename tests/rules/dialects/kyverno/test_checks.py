"""pattern, anyPattern, deny and foreach, as rules say them."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.terms import UNBOUND
from tests.rules.dialects.kyverno.policies import pod, policy, says, verdicts
from tests.rules.dialects.objects import review

_IS_WEB = {"key": "{{ request.object.metadata.name }}", "operator": "Equals", "value": "web"}
_TWO = {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:latest"}]}


def test_a_pattern_says_where_it_fails_in_the_policys_words() -> None:
    """With the variables of the message filled in."""
    message = "{{ request.object.metadata.name }} must not be latest"
    pattern = {"spec": {"containers": [{"image": "!*:latest"}]}}
    (verdict,) = verdicts(policy({"message": message, "pattern": pattern}), pod(_TWO))
    assert verdict.outcome == "fail"
    assert verdict.path == ("spec", "containers", 1, "image")
    assert verdict.message.startswith("web must not be latest")
    assert verdict.rule == "check"


def test_a_pattern_that_does_not_apply_says_nothing() -> None:
    """Its condition speaks of other objects."""
    assert says(policy({"pattern": {"(metadata)": {"name": "x"}}}), pod()) == "nothing"


def test_a_pattern_with_variables_is_filled_in_each_time() -> None:
    """It is another one for each object."""
    rule = policy({"pattern": {"metadata": {"name": "{{ request.object.metadata.labels.n }}"}}})
    assert says(rule, pod(labels={"n": "web"})) == "pass"
    assert says(rule, pod(labels={"n": "x"})) == "fail"


def test_any_pattern_needs_one() -> None:
    """If some do not apply and the rest fails, it fails."""
    holds, fails = {"metadata": {"name": "web"}}, {"metadata": {"name": "x"}}
    skips = {"(kind)": "Service"}
    assert says(policy({"anyPattern": [fails, holds]}), pod()) == "pass"
    assert says(policy({"anyPattern": [fails, skips]}), pod()) == "fail"
    assert says(policy({"anyPattern": [skips]}), pod()) == "nothing"


def test_nothing_is_held_against_what_is_deleted_but_conditions_are() -> None:
    """request.object is the object that goes."""
    gone = review(pod(), operation="DELETE")
    assert says(policy({"pattern": {"metadata": {"name": "x"}}}), gone) == "nothing"
    assert says(policy({"deny": {"conditions": {"all": [_IS_WEB]}}}), gone) == "fail"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"any": [_IS_WEB, {**_IS_WEB, "value": "x"}]}, "fail"),
        ({"all": [_IS_WEB, {**_IS_WEB, "value": "x"}]}, "pass"),
        ({"any": [_IS_WEB], "all": [{**_IS_WEB, "value": "x"}]}, "pass"),
        ([_IS_WEB], "fail"),
        ([_IS_WEB, {**_IS_WEB, "value": "x"}], "pass"),
        ([{"any": [_IS_WEB]}, {"all": [_IS_WEB]}], "fail"),
        ({"any": []}, "pass"),
    ],
)
def test_deny_has_any_all_and_the_old_list(conditions: Any, expected: str) -> None:
    """The old list is all of it; an empty any holds never."""
    assert says(policy({"deny": {"conditions": conditions}}), pod()) == expected


def test_deny_without_conditions_refuses_everything() -> None:
    """And says the policy's message, with those of the conditions that hold."""
    assert says(policy({"deny": {}}), pod()) == "fail"
    condition = {**_IS_WEB, "message": "it is web"}
    rule = policy({"message": "no", "deny": {"conditions": {"any": [condition]}}})
    (verdict,) = verdicts(rule, pod())
    assert verdict.message == "no; it is web"


def test_preconditions_decide_whether_a_rule_speaks() -> None:
    """One that can not be evaluated is the rule's error."""
    rule = policy({"deny": {}}, preconditions={"all": [_IS_WEB]})
    assert says(rule, pod()) == "fail"
    rule = policy({"deny": {}}, preconditions={"all": [{**_IS_WEB, "value": "x"}]})
    assert says(rule, pod()) == "nothing"
    rule = policy({"deny": {}}, preconditions={"all": [{**_IS_WEB, "key": "{{ request.q }}"}]})
    (verdict,) = verdicts(rule, pod())
    assert "unknown key" in verdict.message


def _loop(**foreach: Any) -> dict[str, Any]:
    return policy({"foreach": [{"list": "request.object.spec.containers", **foreach}]})


def test_a_loop_asks_each_element() -> None:
    """A pattern is held against the element; variables know it and its number."""
    assert says(_loop(pattern={"image": "!*:latest"}), pod(_TWO)) == "fail"
    latest = {"key": "{{ element.image }}", "operator": "Equals", "value": "*:latest"}
    assert says(_loop(deny={"conditions": {"any": [latest]}}), pod(_TWO)) == "fail"
    second = {"key": "{{ elementIndex }}", "operator": "Equals", "value": 1}
    rule = _loop(preconditions={"any": [second]}, deny={"conditions": {"any": [latest]}})
    assert says(rule, pod(_TWO)) == "fail"
    first = {"key": "{{ elementIndex0 }}", "operator": "Equals", "value": 0}
    rule = _loop(preconditions={"any": [first]}, deny={"conditions": {"any": [latest]}})
    assert says(rule, pod(_TWO)) == "pass"


def test_a_loop_over_nothing_says_nothing() -> None:
    """Nor does one whose elements are all passed by, or whose list is not there."""
    never = {"any": [{"key": "a", "operator": "Equals", "value": "b"}]}
    assert says(_loop(preconditions=never, deny={}), pod(_TWO)) == "nothing"
    rule = policy({"foreach": [{"list": "request.object.spec.initContainers", "deny": {}}]})
    assert says(rule, pod()) == "nothing"
    empty = policy({"foreach": [{"list": "request.object.spec.x || `[]`", "deny": {}}]})
    assert says(empty, pod()) == "nothing"


def test_loops_nest_and_have_contexts() -> None:
    """The inner one knows the outer one's element; entries are made for each element anew."""
    ports = {
        "containers": [
            {"name": "a", "ports": [{"p": 1}, {"p": 2}]},
            {"name": "b", "ports": [{"p": 2}]},
        ]
    }
    both = {"key": "{{ n }}-{{ element1.p }}", "operator": "Equals", "value": "b-2"}
    inner = {"list": "element.ports", "deny": {"conditions": {"any": [both]}}}
    named = {"name": "n", "variable": {"jmesPath": "element0.name"}}
    assert says(_loop(context=[named], foreach=[inner]), pod(ports)) == "fail"
    ports["containers"].pop()
    assert says(_loop(context=[named], foreach=[inner]), pod(ports)) == "pass"


def test_a_loop_is_undecided_only_if_no_element_fails() -> None:
    """What is known to fail fails."""
    call = {"name": "x", "apiCall": {"urlPath": "/x"}}
    known = {"key": "{{ element.image }}", "operator": "Equals", "value": "*:latest"}
    unknown = {"key": "{{ x }}", "operator": "Equals", "value": "a"}
    rule = _loop(context=[call], deny={"conditions": {"any": [known, unknown]}})
    assert says(rule, pod(_TWO)) == "fail"
    assert says(rule, pod()) == "indeterminate"


def test_only_maps_can_be_scoped() -> None:
    """elementScope of a list of texts is the rule's error."""
    loop = {"list": "request.object.spec.containers[].image", "elementScope": True, "pattern": "x"}
    (verdict,) = verdicts(policy({"foreach": [loop]}), pod())
    assert "elementScope" in verdict.message


def test_an_update_of_what_was_bad_before_is_exempt() -> None:
    """allowExistingViolations, as it is by default; where the old object is not known, unknown."""
    enforced = policy(
        {"pattern": {"metadata": {"labels": {"team": "?*"}}}, "failureAction": "Enforce"}
    )
    bad, good = pod(), pod(labels={"team": "a"})
    assert says(enforced, review(bad, operation="UPDATE", old=bad)) == "fail, exempt"
    assert says(enforced, review(bad, operation="UPDATE", old=good)) == "fail"
    unknown = review(bad, operation="UPDATE", old=UNBOUND)
    assert says(enforced, unknown) == "indeterminate"
    assert says(enforced, review(good, operation="UPDATE", old=UNBOUND)) == "pass"
    enforced["spec"]["rules"][0]["validate"]["allowExistingViolations"] = False
    assert says(enforced, unknown) == "fail"


def test_only_the_first_rule_that_applies_is_asked_where_the_policy_says_so() -> None:
    """applyRules: One."""
    document = policy({"deny": {}}, spec={"applyRules": "One"})
    document["spec"]["rules"].append({**document["spec"]["rules"][0], "name": "second"})
    assert [verdict.rule for verdict in verdicts(document, pod())] == ["check"]
