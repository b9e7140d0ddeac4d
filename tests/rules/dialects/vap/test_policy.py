"""What a ValidatingAdmissionPolicy says of a request."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.policy import Verdict
from shipper.rules.dialects.review import Identity, Target
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.objects import review
from tests.rules.dialects.vap.support import PODS, binding, judged, made, outcomes, pod, policy

PRIVATE = "!has(object.spec.hostNetwork) || !object.spec.hostNetwork"
HOST = review(pod(hostNetwork=True))


def test_a_failure_names_the_binding_the_validation_and_says_why() -> None:
    """In the policy's own words, and with what the binding does to it."""
    values = policy({"expression": PRIVATE, "message": " no host network "}, "true")
    assert judged(values, HOST) == [
        Verdict("fail", "b: validations[0]", "no host network", "deny"),
        Verdict("pass", "b: validations[1]", "", "deny"),
    ]


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"messageExpression": "'pod ' + object.metadata.name"}, "pod web"),
        ({"messageExpression": "'  '", "message": "said"}, "said"),
        ({"messageExpression": "'two\\nlines'", "message": "said"}, "said"),
        ({"messageExpression": "object.nothing", "message": "said"}, "said"),
        ({"messageExpression": "'" + "x" * 6000 + "'", "message": "said"}, "said"),
        ({"messageExpression": "'" + "x" * 6000 + "'"}, "failed expression: false"),
        ({}, "failed expression: false"),
    ],
)
def test_a_message_falls_back_as_the_api_servers_does(
    validation: dict[str, Any], message: str
) -> None:
    """From messageExpression to message to the expression itself."""
    (verdict,) = judged(policy({"expression": " false ", **validation}), HOST)
    assert verdict.message == message


@pytest.mark.parametrize(
    ("actions", "action"),
    [(["Deny"], "deny"), (["Deny", "Audit"], "deny"), (["Warn", "Audit"], "warn"),
     (["Audit"], "audit")],
)  # fmt: skip
def test_a_binding_says_what_is_done(actions: list[str], action: str) -> None:
    """The strictest of its actions counts."""
    values = (policy("false"), binding(validationActions=actions))
    (verdict,) = judged(values, HOST)
    assert verdict.action == action
    assert made(*values).action == action


def test_every_binding_is_asked_for_itself() -> None:
    """One may only audit what the other denies; the policy's own action is the stricter."""
    values = (policy("false"), binding("a", validationActions=["Audit"]), binding("d"))
    found = judged(values, HOST)
    assert [(one.rule, one.action) for one in found] == [
        ("a: validations[0]", "audit"), ("d: validations[0]", "deny")
    ]  # fmt: skip
    assert made(*values).action == "deny"
    assert [part.name for part in made(*values).parts] == ["p", "a", "d"]


def test_an_error_is_a_failure_or_nothing_by_failure_policy() -> None:
    """As in the API server: Fail refuses, Ignore lets pass."""
    (verdict,) = judged(policy("object.spec.nothing == 1"), HOST)
    assert verdict.outcome == "fail"
    assert "no such key" in verdict.message
    assert outcomes(policy("object.spec.nothing == 1", failurePolicy="Ignore"), HOST) == ["pass"]


@pytest.mark.parametrize("failure_policy", ["Fail", "Ignore"])
@pytest.mark.parametrize(
    "expression",
    [
        "authorizer.group('').resource('pods').check('create').allowed()",
        "authorizer.requestResource.check('use').allowed()",
        "request.options.fieldManager == 'x'",
        "request.userInfo.username == 'ann'",
        "namespaceObject.metadata.name == 'shop'",
        "oldObject.spec.x == 1",
    ],
)
def test_what_is_not_known_offline_is_indeterminate(expression: str, failure_policy: str) -> None:
    """Never a pass, and never a failure, whatever failurePolicy says of errors."""
    asked = review(pod(), operation="UPDATE", old=UNBOUND)
    assert outcomes(policy(expression, failurePolicy=failure_policy), asked) == ["indeterminate"]


def test_what_does_not_depend_on_it_is_known() -> None:
    """CEL's && and || absorb what is unknown."""
    assert outcomes(policy("has(object.spec) || authorizer.path('/').check('get').allowed()"),
                    HOST) == ["pass"]  # fmt: skip
    assert outcomes(policy("has(object.nothing) && request.userInfo.username == 'ann'"), HOST) == [
        "fail"
    ]


def test_what_can_not_be_answered_is_said_at_load() -> None:
    """With the expression that needs it."""
    values = policy(
        "oldObject == null", "variables.may",
        variables=[{"name": "may", "expression": "authorizer.path('/').check('get').allowed()"}],
    )  # fmt: skip
    assert made(values).unanswerable == (
        "variables.may: the authorizer",
        "validations[0]: oldObject, which no log has of an update",
    )


def test_a_request_is_what_admission_sees() -> None:
    """Its operation, resource, kind, name, namespace, user and dry run."""
    who = Identity(username="ann", groups=("ops",), uid="1", extra={"k": ["v"]})
    values = policy(
        "request.operation == 'CREATE' && request.resource.resource == 'pods'",
        "request.kind.kind == 'Pod' && request.kind.group == ''",
        "request.requestKind.version == 'v1'",
        "request.name == 'web' && request.namespace == 'shop' && request.subResource == ''",
        "request.userInfo.username == 'ann' && 'ops' in request.userInfo.groups",
        "request.userInfo.extra.k == ['v'] && !request.dryRun && has(request.userInfo)",
    )  # fmt: skip
    assert outcomes(values, review(pod(), identity=who)) == ["pass"] * 6


def test_a_deletion_has_an_old_object_alone() -> None:
    """`object` is null, as in the API server."""
    values = policy(
        "object == null && oldObject.metadata.name == 'web'",
        matchConstraints={"resourceRules": [{**PODS, "operations": ["DELETE"]}]},
    )
    assert outcomes(values, review(pod(), operation="DELETE")) == ["pass"]


def test_a_field_that_is_null_is_unset() -> None:
    """The API server writes nulls into the log that its own CEL does not see."""
    assert outcomes(policy("!has(object.spec.none)"), review(pod(none=None))) == ["pass"]


def test_variables_are_made_of_others_and_evaluated_when_asked() -> None:
    """One that would fail harms nobody who does not ask for it."""
    variables = [
        {"name": "spec", "expression": "object.spec"},
        {"name": "broken", "expression": "object.nothing"},
        {"name": "names", "expression": "variables.spec.containers.map(c, c.name)"},
    ]
    asked = review(pod(containers=[{"name": "a"}, {"name": "b"}]))
    assert outcomes(policy("variables.names == ['a', 'b']", variables=variables), asked) == ["pass"]
    assert outcomes(policy("variables.broken == 1", variables=variables), asked) == ["fail"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("object.metadata.name == 'web'", ["fail"]),
        ("object.metadata.name == 'other'", []),
        ("!(object.metadata.name == 'web')", ["exempt"]),
        ("object.metadata.namespace != 'shop'", ["exempt"]),
        ("request.operation != 'CREATE'", []),
        ("request.userInfo.username == 'ann'", ["indeterminate"]),
        ("object.nothing == 1", ["fail"]),
    ],
)
def test_match_conditions_decide_who_is_asked(condition: str, found: list[str]) -> None:
    """One that leaves out objects or people exempts them; an error fails; the unknown stays so."""
    values = policy("false", matchConditions=[{"name": "c", "expression": condition}])
    assert outcomes(values, HOST) == found


def test_an_error_in_a_match_condition_is_told_once() -> None:
    """Not for each validation; and a condition that is false weighs more."""
    conditions = [{"name": "e", "expression": "object.nothing == 1"}]
    (verdict,) = judged(policy("false", "false", matchConditions=conditions), HOST)
    assert (verdict.rule, verdict.outcome) == ("b: matchConditions", "fail")
    assert verdict.message.startswith("matchConditions[e]: ")
    assert judged(policy("false", matchConditions=conditions, failurePolicy="Ignore"), HOST) == []
    conditions.append({"name": "no", "expression": "false"})
    assert judged(policy("false", matchConditions=conditions), HOST) == []


def test_a_condition_that_fails_beside_one_that_is_unknown_is_unknown() -> None:
    """It may be that nobody was to be asked; that it was a pass is not said."""
    conditions = [
        {"name": "u", "expression": "request.userInfo.username == 'ann'"},
        {"name": "e", "expression": "object.nothing == 1"},
    ]
    assert outcomes(policy("true", matchConditions=conditions), HOST) == ["indeterminate"]
    ignoring = policy("true", matchConditions=conditions, failurePolicy="Ignore")
    assert outcomes(ignoring, HOST) == []


def test_a_match_condition_sees_no_namespace() -> None:
    """The API server has not fetched it then; validations have it."""
    shop = {"metadata": {"name": "shop"}}
    conditions = [{"name": "c", "expression": "namespaceObject == null"}]
    values = policy("namespaceObject.metadata.name == 'shop'", matchConditions=conditions)
    assert outcomes(values, review(pod(), namespace_object=shop)) == ["pass"]


def test_a_request_that_would_have_passed_anyway_is_not_called_exempt_or_unknown() -> None:
    """Nothing is to be said of an exclusion that nobody needed."""
    excluding = [{"name": "c", "expression": "!(object.metadata.name == 'web')"}]
    assert judged(policy("true", matchConditions=excluding), HOST) == []
    unknown = [{"name": "c", "expression": "request.userInfo.username == 'ann'"}]
    assert outcomes(policy("true", matchConditions=unknown), HOST) == ["pass"]


def test_an_audit_annotation_that_fails_is_refused_whatever_the_actions() -> None:
    """As the API server does under failurePolicy Fail."""
    annotations = [{"key": "k", "valueExpression": "string(object.nothing)"}]
    values = policy("true", auditAnnotations=annotations)
    found = judged((values, binding(validationActions=["Audit"])), HOST)
    assert [(one.rule, one.outcome, one.action) for one in found] == [
        ("b: validations[0]", "pass", "audit"),
        ("b: auditAnnotations[k]", "fail", "deny"),
    ]
    fine = policy("true", auditAnnotations=[{"key": "k", "valueExpression": "'x'"}])
    assert outcomes(fine, HOST) == ["pass"]


@pytest.mark.parametrize(
    ("group", "resource"),
    [
        ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ],
)
def test_of_some_resources_the_api_server_asks_no_policy(group: str, resource: str) -> None:
    """Or nobody could mend a policy that denies everything."""
    everything = {
        "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*", "*"]
    }  # fmt: skip
    one = made(policy("false", matchConstraints={"resourceRules": [everything]}))
    target = Target("CREATE", group, "v1", resource, "", "")
    assert not one.may_concern(target)
    assert one.may_concern(target._replace(group="x.example.com"))


def test_a_bomb_is_indeterminate_and_ends_the_policys_questions() -> None:
    """Bounded: no other validation of it is asked about this request."""
    double = [{"name": "v0", "expression": "object.spec.text"}] + [
        {"name": f"v{n}", "expression": f"variables.v{n - 1} + variables.v{n - 1}"}
        for n in range(1, 30)
    ]
    loops = "object.spec.many.all(a, object.spec.many.all(b, object.spec.many.all(c, a != b + c)))"
    asked = review(pod(text="x" * 100, many=[str(n) for n in range(200)]))
    found = judged(policy("size(variables.v29) > 0", "true", variables=double), asked)
    assert [(one.outcome, one.message) for one in found] == [("indeterminate", "cost limit")]
    assert outcomes(policy(loops, "false"), asked) == ["indeterminate"]


def test_many_expensive_questions_are_bounded_together() -> None:
    """Each below the limit, all of them above: the rest is indeterminate, and named."""
    costly = "object.spec.many.all(a, object.spec.many.all(b, !object.spec.text.contains(a + b)))"
    asked = review(pod(text="x" * 5_000, many=[str(n) for n in range(90)]))
    found = judged(policy(*[costly] * 30), asked)
    assert len(found) < 30
    assert found[0].outcome == "pass"
    assert found[-1].outcome == "indeterminate"
