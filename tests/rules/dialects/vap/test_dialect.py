"""From objects to ValidatingAdmissionPolicies in force, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.policy import Source
from shipper.rules.dialects.vap import Vap
from shipper.rules.document import read
from tests.rules.dialects.objects import ident_of, linked, only, review
from tests.rules.dialects.vap.support import binding, pod, policy

WRITTEN = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: p
spec:
  matchConstraints:
    resourceRules:
      - apiGroups: [""]
        apiVersions: [v1]
        operations: [CREATE]
        resources: [pods]
  variables:
    - name: containers
      expression: object.spec.containers
  validations:
    - expression: |
        has(object.spec) &&
        variables.containres.all(c, true)
    - expression: size(object.spec.containers)
    - expression: 'true'
      messageExpression: "'a' +"
  failurePolicy: Sometimes
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: b
spec:
  policyName: p
  validationActions: []
"""


def _problems(text: str) -> list[str]:
    documents, wrong = read(text, "p.yaml")
    assert not wrong
    return [str(problem) for problem in linked(Vap(), *documents).problems]


def test_every_mistake_is_named_with_its_line() -> None:
    """In the form first, then in the expressions, with the column within the text."""
    (form,) = _problems(WRITTEN)
    assert form.startswith("p.yaml:22: spec.failurePolicy: ")
    found = _problems(WRITTEN.replace("Sometimes", "Fail"))
    assert found[0] == (
        "p.yaml:17: spec.validations.0.expression: variables.containres is not defined before it"
    )
    assert found[1].startswith("p.yaml:19: spec.validations.1.expression: 1: must be bool")
    assert found[2].startswith("p.yaml:21: spec.validations.2.messageExpression: ")


def test_an_object_of_the_log_is_named_itself() -> None:
    """It has no file."""
    (problem,) = linked(Vap(), policy("size('')"), binding()).problems
    assert problem.file == "ValidatingAdmissionPolicy p"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"validations": "all"}, "Expected `array`"),
        ({"validation": []}, "did you mean validations?"),
        ({"matchConstraints": {}}, "resourceRules is missing"),
        ({"matchConstraints": {"objectSelector": {"matchLabels": ["app"]}}}, "matchLabels"),
        ({"validations": [{"expression": "params.x == 1"}]}, "there is no paramKind"),
        ({"validations": [{"expression": "request == null"}]}, "name its fields"),
        ({"validations": [{"expression": "event.verb == ''"}]}, "event"),
        ({"variables": [{"name": "a.b", "expression": "1"}]}, "name"),
        ({"variables": [{"name": "a", "expression": "variables.a"}]}, "not defined before it"),
        ({"matchConditions": [{"name": "c", "expression": "1 +"}]}, "matchConditions.0"),
        ({"auditAnnotations": [{"key": "k", "valueExpression": "1 +"}]}, "auditAnnotations.0"),
    ],
)
def test_a_policy_that_the_api_server_would_not_take_is_a_problem(
    spec: dict[str, Any], reason: str
) -> None:
    """And is not in force."""
    found = linked(Vap(), policy("true", **spec), binding())
    assert not found.policies
    assert any(reason in problem.reason for problem in found.problems), found.problems


def test_variables_that_are_too_many_only_together_are_a_problem() -> None:
    """Named with the expression that asks for them all."""
    variables = [{"name": "v0", "expression": "object.kind"}] + [
        {"name": f"v{n}", "expression": f"variables.v{n - 1} + 'x'"} for n in range(1, 100)
    ]
    (problem,) = linked(
        Vap(), policy("variables.v99 == ''", variables=variables), binding()
    ).problems
    assert problem.reason == "spec: validations[0]: nested too deeply"


@pytest.mark.parametrize("value", [None, "text", 1, [], {}, {"spec": None}])
def test_no_object_of_whatever_shape_breaks_the_reading(value: Any) -> None:
    """The log is hostile: a policy of it may be anything."""
    for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"):
        odd = policy("true") | {"kind": kind, "spec": value}
        found = linked(Vap(), odd)
        assert not found.policies
        assert found.problems


def test_a_policy_that_would_take_long_to_compile_is_refused() -> None:
    """Named where it becomes too large: the largest that people use is a twentieth of that."""
    long = " && ".join(["object.spec.x[0].y == 'z'"] * 1000)
    variables = [{"name": "v", "expression": long}]
    found = linked(Vap(), policy(*["variables.v"] * 20, variables=variables), binding())
    (problem,) = found.problems
    assert problem.reason.endswith("expression: the policy is too large with this expression")
    many = linked(Vap(), policy(*["true"] * 1001), binding())
    assert "1000" in many.problems[0].reason


def test_objects_nested_as_deeply_as_can_be_read_break_nothing() -> None:
    """The log's reader allows more than Python recurses."""
    deep: Any = None
    for _ in range(900):
        deep = {"a": deep}
    assert linked(Vap(), policy("true", odd=deep), binding()).problems
    kind = {"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}}
    bound = binding(paramRef={"name": "m", "namespace": "default"})
    params = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": deep}
    values = (policy("has(params.data.a) && !has(object.spec.none)", **kind), bound, params)
    one = only(linked(Vap(), *values))
    assert [found.outcome for found in one.judge(review(pod(deep=deep, none=None)))] == ["pass"]


def test_a_policy_without_a_binding_is_not_in_force() -> None:
    """Nor is a binding without its policy; both may come later."""
    assert linked(Vap(), policy("true")) == ([], [])
    assert linked(Vap(), binding()) == ([], [])
    other = policy("true") | {"metadata": {"name": "other"}}
    assert [one.ident.name for one in linked(Vap(), policy("true"), binding(), other).policies] == [
        "p"
    ]


def test_the_beta_version_is_read_alike() -> None:
    """v1beta1 has the same fields."""
    version = "admissionregistration.k8s.io/v1beta1"
    values = (policy("true") | {"apiVersion": version}, binding() | {"apiVersion": version})
    assert only(linked(Vap(), *values)).ident.name == "p"


def test_linking_again_judges_by_what_is_there_now() -> None:
    """What has not changed is not compiled again; what has is."""
    dialect = Vap()
    strict, kept = policy("false"), policy("false") | {"metadata": {"name": "kept"}}
    bound = [binding(), binding("k", policyName="kept")]
    values = [strict, kept, *bound]
    objects = {ident_of(value): Source(value, None) for value in values}
    before = dialect.link(objects)
    asked = review(pod())
    assert [one.judge(asked)[0].outcome for one in before.policies] == ["fail", "fail"]
    objects[ident_of(strict)] = Source(policy("object.kind == 'Pod'"), None)
    after = dialect.link(objects)
    assert [one.judge(asked)[0].outcome for one in after.policies] == ["pass", "fail"]
    assert [one.judge(asked)[0].outcome for one in before.policies] == ["fail", "fail"]
    del objects[ident_of(strict)]
    assert [one.ident.name for one in dialect.link(objects).policies] == ["kept"]
