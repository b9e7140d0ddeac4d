"""Kyverno among the admission languages."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects import registry
from shipper.rules.dialects.kyverno import Kyverno
from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.document import read
from tests.rules.dialects.kyverno.policies import PODS, pod, policy, says, verdicts
from tests.rules.dialects.objects import ident_of, linked, only, review


def test_it_is_found_by_its_api_groups() -> None:
    """The loader asks the registry."""
    found = registry.dialects(["policies.kyverno.io"])
    assert any(isinstance(dialect, Kyverno) for dialect in found)


@pytest.mark.parametrize(
    ("line", "text", "reason"),
    [
        (6, "{}", "a rule needs validate"),
        (6, "{validate: {deny: {}}}", "match is missing"),
        (6, "{match: {any: []}}", "validate, mutate, generate or verifyImages"),
        (6, "{match: {any: []}, validate: {}}", "needs one of"),
        (6, "{match: {any: []}, validate: {foreach: [{deny: {}}]}}", "needs a list"),
        (6, "{match: {}, validate: {deny: {conditions: {al: []}}}}", "any and all"),
        (6, "{match: {}, validate: {deny: {conditions: [{key: a, operator: Is}]}}}", "operator"),
        (6, "{match: {}, validate: {podSecurity: {level: high}}}", "level"),
        (6, "{match: {}, validate: {podSecurity: {level: baseline, version: v2}}}", "version"),
        (6, '{match: {}, validate: {pattern: {a: "{{ b[ }}"}}}', "not JMESPath"),
        (6, '{match: {}, validate: {pattern: {a: "$(./../b)"}}}', "leads to no value"),
        (6, "{match: {}, context: [{name: x}], validate: {deny: {}}}", "context entry x"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(line: int, text: str, reason: str) -> None:
    """The policy is none then; the same object from the log is named by itself."""
    written = f"""apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {{name: policy}}
spec:
  rules:
  - {text}
"""
    documents, _ = read(written, "policy.yaml")
    found = linked(Kyverno(), documents[0])
    assert not found.policies
    problem = str(found.problems[0])
    assert problem.startswith(f"policy.yaml:{line}: spec.rules.0: ")
    assert reason in problem
    (again, *_) = linked(Kyverno(), documents[0].value).problems
    assert str(again).startswith("ClusterPolicy policy: ")


def test_rules_of_other_kinds_are_named_and_not_judged() -> None:
    """Mutation and generation refuse nothing; the signatures of images are indeterminate."""
    document = policy({"deny": {}})
    del document["spec"]["rules"][0]["validate"]
    document["spec"]["rules"][0]["mutate"] = {"patchStrategicMerge": {}}
    assert says(document, pod()) == "nothing"
    made = only(linked(Kyverno(), document))
    assert "rule check: mutates, which is not judged" in made.unanswerable
    verify = {"name": "signed", "match": PODS, "verifyImages": [{"imageReferences": ["*"]}]}
    document["spec"]["rules"] = [verify]
    assert [verdict.outcome for verdict in verdicts(document, pod())] == ["indeterminate"]


def test_what_can_not_be_answered_is_said_at_load() -> None:
    """Each with the rule that needs it."""
    context = [
        {"name": "x", "apiCall": {"urlPath": "/x"}},
        {"name": "now", "variable": {"jmesPath": "time_now_utc()"}},
        {"name": "new", "variable": {"jmesPath": "brand_new(@)"}},
        {"name": "map", "configMap": {"name": "a", "namespace": "b"}},
        {"name": "any", "configMap": {"name": "{{ x }}", "namespace": "b"}},
    ]
    made = only(linked(Kyverno(), policy({"deny": {}}, context=context)))
    assert set(made.unanswerable) >= {
        "rule check: context x needs the API server",
        "rule check: time_now_utc() has no answer here",
        "rule check: the function brand_new() is not known here",
        "rule check: context map needs a ConfigMap that is not beside the policies: b/a",
    }
    assert "context any" not in str(made.unanswerable)


def test_config_maps_are_wanted_only_where_a_context_asks() -> None:
    """Other objects beside policies stay an error of the loader."""
    document = policy({"deny": {}})
    assert not Kyverno().wants(_objects(document))
    document["spec"]["rules"][0]["context"] = [{"name": "x", "configMap": {"name": "a"}}]
    assert set(Kyverno().wants(_objects(document))) == {("", "ConfigMap")}


def test_linking_again_makes_anew_only_what_has_changed() -> None:
    """A policy, or an object that it refers to."""
    dialect = Kyverno()
    document, other = policy({"deny": {}}), policy({"deny": {}})
    document["spec"]["rules"][0]["context"] = [{"name": "x", "configMap": {"name": "a"}}]
    other["metadata"] = {"name": "other"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    objects = _objects(document, other, config_map)
    first = {made.ident: made for made in dialect.link(objects).policies}
    again = {made.ident: made for made in dialect.link(dict(objects)).policies}
    assert all(first[ident] is again[ident] for ident in first)
    unasked = {**config_map, "metadata": {"name": "unasked"}}
    objects[ident_of(unasked)] = Source(unasked, None)
    again = {made.ident: made for made in dialect.link(objects).policies}
    assert all(first[ident] is again[ident] for ident in first)
    objects[ident_of(config_map)] = Source({**config_map, "data": {"b": "c"}}, None)
    changed = {made.ident: made for made in dialect.link(objects).policies}
    assert changed[ident_of(document)] is not first[ident_of(document)]
    assert changed[ident_of(other)] is first[ident_of(other)]
    del objects[ident_of(other)]
    assert [made.ident.name for made in dialect.link(objects).policies] == ["policy"]


def test_a_name_with_a_variable_may_mean_any_config_map() -> None:
    """So each of them is a reason to make the policy anew."""
    dialect, document = Kyverno(), policy({"deny": {}})
    named = {"name": "x", "configMap": {"name": "{{request.namespace}}"}}
    document["spec"]["rules"][0]["context"] = [named]
    objects = _objects(document)
    before = only(dialect.link(objects))
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert only(dialect.link({**objects, **_objects(config_map)})) is not before


def test_a_policy_is_asked_only_about_what_it_may_concern() -> None:
    """By kind and operation, before any object is read."""
    match = {"any": [{"resources": {"kinds": ["Pod"], "operations": ["CREATE"]}}]}
    made = only(linked(Kyverno(), policy({"deny": {}}, match=match)))
    target = review(pod()).target
    assert made.may_concern(target)
    assert not made.may_concern(target._replace(operation="DELETE"))
    service = target._replace(resource="services", kind="Service")
    assert not made.may_concern(service)


def test_a_pattern_is_not_asked_about_deletions() -> None:
    """It would say nothing of them; a precondition that can not be evaluated might."""
    gone = review(pod()).target._replace(operation="DELETE")
    pattern = {"pattern": {"metadata": {"name": "x"}}}
    assert not only(linked(Kyverno(), policy(pattern))).may_concern(gone)
    guarded = policy(pattern, preconditions={"all": [{"key": "a", "operator": "Equals"}]})
    assert only(linked(Kyverno(), guarded)).may_concern(gone)
    assert only(linked(Kyverno(), policy({"deny": {}}))).may_concern(gone)


def _objects(*values: dict[str, Any]) -> dict[Ident, Source]:
    return {ident_of(value): Source(value, None) for value in values}
