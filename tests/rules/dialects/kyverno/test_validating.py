"""ValidatingPolicy of policies.kyverno.io."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno import Kyverno
from shipper.rules.dialects.policy import Verdict
from shipper.rules.dialects.review import Identity, Review
from tests.rules.dialects.kyverno.policies import cron_job, deployment, pod, says, verdicts
from tests.rules.dialects.objects import linked, only, review

_RULES = {
    "resourceRules": [
        {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}
    ]
}
_LATEST = {"containers": [{"name": "web", "image": "nginx:latest"}]}
_NO_LATEST = "object.spec.containers.all(c, !c.image.endsWith(':latest'))"


def _policy(expression: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "ValidatingPolicy",
        "metadata": {"name": "policy"},
        "spec": {
            "matchConstraints": _RULES,
            "validations": [{"expression": expression}],
            **spec,
        },
    }


def _exception(**spec: Any) -> dict[str, Any]:
    refs = [{"name": "policy", "kind": "ValidatingPolicy"}]
    return {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": "spared", "namespace": "ops"},
        "spec": {"policyRefs": refs, **spec},
    }


def _one(document: dict[str, Any], asked: Review | dict[str, Any], *beside: Any) -> Verdict:
    (verdict,) = verdicts(document, asked, *beside)
    return verdict


def test_validations_decide() -> None:
    """With match conditions, variables and messages."""
    assert says(_policy(_NO_LATEST), pod()) == "pass"
    assert says(_policy(_NO_LATEST), pod(_LATEST)) == "fail"
    never = [{"name": "never", "expression": "object.metadata.name == 'x'"}]
    assert says(_policy("false", matchConditions=never), pod()) == "nothing"
    variables = [{"name": "n", "expression": "object.metadata.?labels['a'].orValue('none')"}]
    assert says(_policy("variables.n == 'none'", variables=variables), pod()) == "pass"


@pytest.mark.parametrize(
    ("spec", "action"),
    [
        ({}, "deny"),
        ({"validationActions": ["Audit"]}, "audit"),
        ({"validationActions": ["Audit", "Warn"]}, "warn"),
        ({"evaluation": {"admission": {"enabled": False}}}, "audit"),
    ],
)
def test_its_action(spec: dict[str, Any], action: str) -> None:
    """Deny, if nothing is said."""
    assert _one(_policy("false", **spec), pod()).action == action


def test_it_is_generated_for_controllers() -> None:
    """For all of them, or for those that it names."""
    assert says(_policy(_NO_LATEST), deployment(_LATEST)) == "fail"
    assert says(_policy(_NO_LATEST), cron_job(_LATEST)) == "fail"
    only_jobs = {"podControllers": {"controllers": ["cronjobs"]}}
    assert says(_policy(_NO_LATEST, autogen=only_jobs), deployment(_LATEST)) == "nothing"
    assert says(_policy(_NO_LATEST, autogen=only_jobs), cron_job(_LATEST)) == "fail"
    stays = "object.metadata.namespace == 'shop'"
    assert says(_policy(stays), deployment(_LATEST)) == "pass"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("image('nginx').registry() == 'index.docker.io'", "pass"),
        ("image('nginx').repository() == 'library/nginx'", "pass"),
        ("image('ghcr.io/a/b:1.2').tag() == '1.2'", "pass"),
        ("!image('ab:1').containsDigest()", "pass"),
        ("isImage('a b')", "fail"),
        ("sha256('a').startsWith('ca97')", "pass"),
        ("json.unmarshal('{\"a\": 1}').a == 1", "pass"),
        ("parseServiceAccount('system:serviceaccount:a:b').Namespace == 'a'", "pass"),
        ("listObjToMap([{'k': 'a'}], [{'v': 1}], 'k', 'v') == {'a': 1}", "pass"),
        ("object.spec.containers.orValue([]).size() == 1", "pass"),
        ("image.GetMetadata('nginx').config.User == ''", "indeterminate"),
        ("resource.Get('v1', 'configmaps', 'a', 'b').data.x == 'y'", "indeterminate"),
        ("http.Get('http://x').a == 1", "indeterminate"),
        ("globalContext.Get('x', '') == 1", "indeterminate"),
        ("time.now() > timestamp('2026-01-01T00:00:00Z')", "indeterminate"),
        ("request.userInfo.username == 'a'", "indeterminate"),
        ("object.spec.containers[0].q == 1", "fail"),
        ("exceptions.allowedValues.size() == 0", "pass"),
    ],
)
def test_kyvernos_functions(expression: str, expected: str) -> None:
    """Those that need nothing are answered; those that need the cluster are indeterminate."""
    assert says(_policy(expression), pod()) == expected


def test_who_asks_is_known_from_the_log() -> None:
    """And the policy says at load what it can not answer at all."""
    asked = review(pod(), identity=Identity(username="bob"))
    assert says(_policy("request.userInfo.username == 'bob'"), asked) == "pass"
    made = only(linked(Kyverno(), _policy("image.GetMetadata('a').b == 1")))
    assert list(made.unanswerable) == ["validations[0] needs an image registry"]


def test_an_exception_spares_the_object_or_some_values() -> None:
    """The latter are for the policy's expressions to look at."""
    named = [{"name": "web", "expression": "object.metadata.name == 'web'"}]
    assert says(_policy("false"), pod(), _exception(matchConditions=named)) == "fail, exempt"
    other = [{"name": "x", "expression": "object.metadata.name == 'x'"}]
    assert says(_policy("false"), pod(), _exception(matchConditions=other)) == "fail"
    unknown = [{"name": "who", "expression": "request.userInfo.username == 'bob'"}]
    spared = says(_policy("false"), pod(), _exception(matchConditions=unknown))
    assert spared == "indeterminate"
    looks = _policy("object.metadata.name in exceptions.allowedValues")
    assert says(looks, pod()) == "fail"
    assert says(looks, pod(), _exception(allowedValues=["web"])) == "pass"


def test_failure_policy_ignore_lets_errors_by() -> None:
    """As of a ValidatingAdmissionPolicy."""
    assert says(_policy("object.q == 1", failurePolicy="Ignore"), pod()) == "pass"


def test_a_namespaced_policy_speaks_of_its_namespace_alone() -> None:
    """NamespacedValidatingPolicy."""
    document = _policy("false")
    document["kind"] = "NamespacedValidatingPolicy"
    document["metadata"]["namespace"] = "bank"
    assert says(document, pod()) == "nothing"
    document["metadata"]["namespace"] = "shop"
    assert says(document, pod()) == "fail"


def test_what_is_wrong_is_told() -> None:
    """Once, not again for what is generated; a policy of JSON payloads is none of ours."""
    assert len(linked(Kyverno(), _policy("object.")).problems) == 1
    (problem,) = linked(Kyverno(), _policy("true", evaluation={"mode": "JSON"})).problems
    assert "JSON payloads" in str(problem)
    (problem,) = linked(Kyverno(), _policy("true", matchConstraints=None)).problems
    assert "matchConstraints" in str(problem)
    (problem,) = linked(Kyverno(), _policy("true", validations="x")).problems
    assert "validations" in str(problem)
