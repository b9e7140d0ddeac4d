"""`validate.cel`: CEL within a ClusterPolicy."""

from __future__ import annotations

from typing import Any

from shipper.rules.dialects.kyverno import Kyverno
from shipper.rules.document import read
from tests.rules.dialects.kyverno.policies import deployment, pod, policy, says, verdicts
from tests.rules.dialects.objects import linked, only, review


def _cel(expression: str, **cel: Any) -> dict[str, Any]:
    return policy({"cel": {"expressions": [{"expression": expression}], **cel}})


def test_expressions_decide_with_the_rules_message() -> None:
    """A message of their own, or an expression for it, comes first."""
    rule = policy({"message": "the rule's", "cel": {"expressions": [{"expression": "false"}]}})
    assert verdicts(rule, pod())[0].message == "the rule's"
    own = {"expression": "false", "messageExpression": "'of ' + object.metadata.name"}
    rule = policy({"message": "the rule's", "cel": {"expressions": [own]}})
    assert verdicts(rule, pod())[0].message == "of web"
    assert says(_cel("object.metadata.name == 'web'"), pod()) == "pass"


def test_variables_and_preconditions() -> None:
    """As of a ValidatingAdmissionPolicy."""
    variables = [{"name": "n", "expression": "object.metadata.name"}]
    assert says(_cel("variables.n == 'x'", variables=variables), pod()) == "fail"
    conditions = [{"name": "named", "expression": "object.metadata.name == 'x'"}]
    rule = policy({"cel": {"expressions": [{"expression": "false"}]}}, celPreconditions=conditions)
    assert says(rule, pod()) == "nothing"


def test_a_rule_in_cel_is_generated_for_controllers() -> None:
    """`object.spec` is the template's there."""
    rule = _cel("object.spec.containers.all(c, !c.image.endsWith(':latest'))")
    latest = {"containers": [{"name": "web", "image": "nginx:latest"}]}
    assert says(rule, deployment(latest)) == "fail"


def test_an_error_fails_and_what_is_not_known_is_indeterminate() -> None:
    """The authorizer, the namespace object: not known here."""
    assert says(_cel("object.spec.q == 1"), pod()) == "fail"
    assert says(_cel("namespaceObject.metadata.labels['a'] == 'b'"), pod()) == "indeterminate"
    rule = _cel("authorizer.group('').resource('pods').check('create').allowed()")
    assert says(rule, pod()) == "indeterminate"
    made = only(linked(Kyverno(), rule))
    assert any("authorizer" in text for text in made.unanswerable)


def test_a_field_that_is_null_is_set() -> None:
    """Kyverno gives its expressions the object as it is, without its types."""
    assert says(_cel("object.spec.x == null"), pod({"x": None})) == "pass"


def test_parameters_stand_beside_the_policy() -> None:
    """Where they do not, it is indeterminate; all of those selected must let it by."""
    rule = _cel(
        "object.metadata.name == params.data.name",
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
        paramRef={"name": "allowed", "namespace": "ops"},
    )
    there = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "allowed", "namespace": "ops"},
        "data": {"name": "web"},
    }
    assert ("", "ConfigMap") in Kyverno().wants(_objects(rule))
    assert says(rule, pod(), there) == "pass"
    assert says(rule, pod(), {**there, "data": {"name": "x"}}) == "fail"
    assert says(rule, pod()) == "indeterminate"


def _objects(value: dict[str, Any]) -> Any:
    (made,) = linked(Kyverno(), value).policies
    return {made.ident: made.source}


def test_a_mistake_is_told_with_its_line() -> None:
    """Of the expression itself."""
    text = """apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: policy}
spec:
  rules:
  - name: check
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      cel:
        expressions:
        - expression: >-
            object.metadata.name ==
        - {expression: "true", wrong: 1}
"""
    documents, _ = read(text, "policy.yaml")
    found = linked(Kyverno(), documents[0])
    assert not found.policies
    assert any(str(problem).startswith("policy.yaml:1") for problem in found.problems)


def test_one_dialect_judges_its_policies_together() -> None:
    """What one needs of the object does not take from the other."""
    names = policy({"cel": {"expressions": [{"expression": "object.metadata.name == 'web'"}]}})
    specs = policy({"cel": {"expressions": [{"expression": "size(object.spec.containers) == 1"}]}})
    specs["metadata"] = {"name": "other"}
    found = linked(Kyverno(), names, specs)
    asked = review(pod())
    outcomes = [verdict.outcome for made in found.policies for verdict in made.judge(asked)]
    assert outcomes == ["pass", "pass"]
