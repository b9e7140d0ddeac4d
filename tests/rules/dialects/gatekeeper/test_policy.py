"""What a constraint says of an object."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.gatekeeper import Gatekeeper
from shipper.rules.dialects.policy import Source, Verdict
from shipper.rules.document import read
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.gatekeeper.support import constraint, judged, made, template
from tests.rules.dialects.objects import ident_of, linked, review
from tests.rules.dialects.vap.support import pod

LABELS = "variables.params.labels.all(l, l in variables.anyObject.metadata.labels)"
POD = review(pod())


def test_parameters_and_the_object_are_what_gatekeeper_binds() -> None:
    """variables.params, variables.anyObject, and the template's own variables."""
    message = {"messageExpression": "'needs ' + variables.params.labels.join(', ')"}
    values = template({"expression": LABELS, **message}, "variables.name == 'web'", variables=[
        {"name": "name", "expression": "variables.anyObject.metadata.name"}
    ])  # fmt: skip
    found = judged((values, constraint(parameters={"labels": ["app", "owner"]})), POD)
    assert found == [
        Verdict("fail", "validations[0]", "needs app, owner", "deny"),
        Verdict("pass", "validations[1]", "", "deny"),
    ]


def test_a_deletion_is_about_the_old_object() -> None:
    """`object` is null then, and variables.anyObject is not."""
    values = template("object == null && variables.anyObject.kind == 'Pod'", operations=["DELETE"])
    asked = review(pod(), operation="DELETE")
    assert [one.outcome for one in judged((values, constraint()), asked)] == ["pass"]


def test_any_object_is_there_though_nothing_is_asked_of_it_but_all_of_it_if_need_be() -> None:
    """What is converted of the object is what expressions ask of it."""
    whole = "variables.anyObject.exists(key, key == 'spec')"
    for text in ("variables.anyObject != null", whole, "!has(variables.anyObject.none)"):
        values = template(text)
        assert [one.outcome for one in judged((values, constraint()), POD)] == ["pass"]


def test_a_variable_of_the_same_name_is_the_authors() -> None:
    """And what it needs of the object is there."""
    mine = [{"name": "anyObject", "expression": "object.metadata"}]
    values = template("has(variables.anyObject.labels)", variables=mine)
    assert [one.outcome for one in judged((values, constraint()), POD)] == ["pass"]


def test_no_parameters_are_null() -> None:
    """And what asks for one of them fails, or is nothing under failurePolicy Ignore."""
    assert [one.outcome for one in judged((template(LABELS), constraint()), POD)] == ["fail"]
    ignoring = template(LABELS, failurePolicy="Ignore", generateVAP=True)
    assert [one.outcome for one in judged((ignoring, constraint()), POD)] == ["pass"]
    null = template("variables.params == null")
    assert [one.outcome for one in judged((null, constraint()), POD)] == ["pass"]


@pytest.mark.parametrize("size", [10, 3000])
def test_large_parameters_give_the_same_answer(size: int) -> None:
    """They are bound beside the expressions instead of within them."""
    values = template("variables.anyObject.metadata.name in variables.params.names")
    names = [f"name-{number}" for number in range(size)]
    for given, outcome in ((names, "fail"), ([*names, "web"], "pass")):
        found = judged((values, constraint(parameters={"names": given})), POD)
        assert [one.outcome for one in found] == [outcome]


def test_constraints_of_one_template_have_their_own_parameters() -> None:
    """Also where both are bound beside the expressions."""
    values = template("variables.anyObject.metadata.name in variables.params.names")
    many = [f"name-{number}" for number in range(3000)]
    first = constraint(parameters={"names": many})
    second = constraint(parameters={"names": [*many, "web"]}) | {"metadata": {"name": "d"}}
    policies = linked(Gatekeeper(), values, first, second).policies
    assert [one.judge(POD)[0].outcome for one in policies] == ["fail", "pass"]


@pytest.mark.parametrize(
    ("spec", "action"),
    [
        ({}, "deny"),
        ({"enforcementAction": "deny"}, "deny"),
        ({"enforcementAction": "warn"}, "warn"),
        ({"enforcementAction": "dryrun"}, "audit"),
        ({"enforcementAction": "scoped", "scopedEnforcementActions": [
            {"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]},
            {"action": "warn", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]},
        ]}, "warn"),
        ({"enforcementAction": "scoped", "scopedEnforcementActions": [
            {"action": "warn", "enforcementPoints": [{"name": "*"}]},
            {"action": "deny", "enforcementPoints": [{"name": "vap.k8s.io"}]},
        ]}, "deny"),
        ({"enforcementAction": "scoped", "scopedEnforcementActions": [
            {"action": "deny", "enforcementPoints": [{"name": "gator.gatekeeper.sh"}]},
        ]}, "audit"),
    ],
)  # fmt: skip
def test_a_constraint_says_what_is_done(spec: dict[str, Any], action: str) -> None:
    """Of scoped actions the strictest at admission counts."""
    one = made(template("false"), constraint(**spec))
    assert one.action == action
    assert [verdict.action for verdict in one.judge(POD)] == [action]


def test_a_match_condition_of_the_template_exempts_too() -> None:
    """Gatekeeper spells it in the singular."""
    values = template("false", matchCondition=[
        {"name": "c", "expression": "!(object.metadata.name == 'web')"}
    ])  # fmt: skip
    (verdict,) = judged((values, constraint()), POD)
    assert verdict.exempt == "matchConditions[c]"


def test_an_update_is_indeterminate_where_the_old_object_decides() -> None:
    """No log has it."""
    asked = review(pod(), operation="UPDATE", old=UNBOUND)
    values = template("oldObject.spec == object.spec")
    assert [one.outcome for one in judged((values, constraint()), asked)] == ["indeterminate"]
    assert made(values, constraint()).unanswerable == [
        "validations[0]: oldObject, which no log has of an update"
    ]
    assert made(template(LABELS), constraint()).unanswerable == []


@pytest.mark.parametrize("where", ["rego", "code"])
def test_rego_alone_is_indeterminate_and_said_at_load(where: str) -> None:
    """Never a pass; only for what the constraint means."""
    values = template()
    target = values["spec"]["targets"][0]
    target["code"] = [{"engine": "Rego", "source": {"rego": "package x"}}]
    if where == "rego":
        del target["code"]
        target["rego"] = "package x"
    match = {"excludedNamespaces": ["kube-system"], "kinds": [{"kinds": ["Pod"]}]}
    one = made(values, constraint(match=match))
    assert "Rego" in one.unanswerable[0]
    assert [(found.outcome, found.rule) for found in one.judge(POD)] == [("indeterminate", "rego")]
    excluded = pod()
    excluded["metadata"]["namespace"] = "kube-system"
    assert one.judge(review(excluded)) == ()


def test_cel_is_preferred_where_a_template_has_both() -> None:
    """As Gatekeeper does."""
    values = template("false")
    values["spec"]["targets"][0]["rego"] = "package x"
    assert [one.outcome for one in judged((values, constraint()), POD)] == ["fail"]


def test_a_constraint_names_its_template_among_its_parts() -> None:
    """Whoever weakens the template weakens the constraint."""
    one = made(template("true"), constraint())
    assert [str(part) for part in one.parts] == ["Rule c", "ConstraintTemplate rule"]
    assert str(one.ident) == "Rule c"


WRITTEN = """\
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata:
  name: rule
spec:
  crd: {spec: {names: {kind: Rule}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      code:
        - engine: K8sNativeValidation
          source:
            validations:
              - expression: |
                  true &&
                  variables.parms.x
"""


def test_a_mistake_is_named_with_its_line() -> None:
    """In the template, not in each of its constraints."""
    documents, _ = read(WRITTEN, "t.yaml")
    (problem,) = linked(Gatekeeper(), *documents, constraint()).problems
    assert str(problem) == (
        "t.yaml:14: spec.targets.0.code.0.source.validations.0.expression:"
        " variables.parms is not defined before it"
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((constraint(),), "there is no ConstraintTemplate of the kind Rule here"),
        ((template("true"), constraint(enforcementAction="maybe")), "maybe"),
        ((template("true"), constraint(match={"kind": []})), "did you mean kinds?"),
        ((template("true"), constraint(match={"labelSelector": {"matchLabels": ["a"]}})),
         "matchLabels"),
        ((template("true", matchConditions=[]), constraint()), "did you mean matchCondition?"),
        ((template("true") | {"spec": {}}, constraint()), "kind is missing"),
    ],
)  # fmt: skip
def test_what_gatekeeper_would_not_take_is_a_problem(
    values: tuple[dict[str, Any], ...], reason: str
) -> None:
    """And makes no policy."""
    found = linked(Gatekeeper(), *values)
    assert not found.policies
    assert any(reason in problem.reason for problem in found.problems), found.problems


def test_variables_that_are_too_many_only_together_are_a_problem() -> None:
    """Of the template."""
    variables = [{"name": "v0", "expression": "object.kind"}] + [
        {"name": f"v{n}", "expression": f"variables.v{n - 1} + 'x'"} for n in range(1, 100)
    ]
    values = template("variables.v99 == ''", variables=variables)
    (problem,) = linked(Gatekeeper(), values, constraint()).problems
    assert problem.reason == "spec.targets.0: validations[0]: nested too deeply"


@pytest.mark.parametrize("value", [None, "text", 1, [], {}, {"targets": [None]}, {"match": 1}])
def test_no_object_of_whatever_shape_breaks_the_reading(value: Any) -> None:
    """The log is hostile."""
    config = {"apiVersion": "config.gatekeeper.sh/v1", "kind": "Config", "metadata": {"name": "c"}}
    linked(Gatekeeper(), template("true") | {"spec": value}, constraint())
    linked(Gatekeeper(), template("true"), constraint() | {"spec": value})
    linked(Gatekeeper(), config | {"spec": value})


def test_linking_again_judges_by_what_is_there_now() -> None:
    """A template that changes changes its constraints."""
    dialect = Gatekeeper()
    values = [template("false"), constraint()]
    objects = {ident_of(value): Source(value, None) for value in values}
    (before,) = dialect.link(objects).policies
    objects[ident_of(values[0])] = Source(template("true"), None)
    (after,) = dialect.link(objects).policies
    assert before.judge(POD)[0].outcome == "fail"
    assert after.judge(POD)[0].outcome == "pass"
    assert dialect.wants(objects) == ()
    del objects[ident_of(values[1])]
    assert dialect.link(objects) == ([], [])
