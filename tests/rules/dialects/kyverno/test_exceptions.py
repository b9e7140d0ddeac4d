"""PolicyExceptions of kyverno.io."""

from __future__ import annotations

from typing import Any

from shipper.rules.dialects.kyverno import Kyverno
from tests.rules.dialects.kyverno.policies import PODS, deployment, pod, policy, says, verdicts
from tests.rules.dialects.objects import ident_of, linked, only


def _exception(rules: list[str], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "kyverno.io/v2",
        "kind": "PolicyException",
        "metadata": {"name": "spared", "namespace": "ops"},
        "spec": {
            "exceptions": [{"policyName": "policy", "ruleNames": rules}],
            "match": {"any": [{"resources": {"kinds": ["Pod", "Deployment"]}}]},
            **spec,
        },
    }


def test_what_an_exception_spares_is_exempt_and_names_it() -> None:
    """It fails, and that is no failure of the cluster's; of what passes nothing is said."""
    (verdict,) = verdicts(policy({"deny": {}}), pod(), _exception(["check"]))
    assert (verdict.outcome, verdict.exempt) == ("fail", "PolicyException ops/spared")
    passing = policy({"pattern": {"metadata": {"name": "web"}}})
    assert says(passing, pod(), _exception(["check"])) == "nothing"


def test_an_exception_names_policy_and_rules() -> None:
    """Rules with wildcards; a generated rule by its own name."""
    rule = policy({"deny": {}})
    assert says(rule, pod(), _exception(["ch*"])) == "fail, exempt"
    assert says(rule, pod(), _exception(["other"])) == "fail"
    spec: dict[str, Any] = {"containers": []}
    assert says(rule, deployment(spec), _exception(["check"])) == "fail"
    assert says(rule, deployment(spec), _exception(["autogen-check"])) == "fail, exempt"
    elsewhere = _exception(["check"], exceptions=[{"policyName": "x", "ruleNames": ["check"]}])
    assert says(rule, pod(), elsewhere) == "fail"


def test_an_exception_may_have_conditions() -> None:
    """Those that can not be evaluated spare nothing; those that are not known leave it open."""
    rule = policy({"deny": {}})
    named = {"key": "{{ request.object.metadata.name }}", "operator": "Equals", "value": "web"}
    assert says(rule, pod(), _exception(["*"], conditions={"any": [named]})) == "fail, exempt"
    other = {"any": [{**named, "value": "x"}]}
    assert says(rule, pod(), _exception(["*"], conditions=other)) == "fail"
    broken = {"any": [{**named, "key": "{{ request.q }}"}]}
    assert says(rule, pod(), _exception(["*"], conditions=broken)) == "fail"
    unknown = {"any": [{**named, "key": "{{ request.userInfo.username }}"}]}
    assert says(rule, pod(), _exception(["*"], conditions=unknown)) == "indeterminate"


def test_an_exception_may_spare_controls_of_pod_security() -> None:
    """Only what it names; the rest fails still."""
    rule = policy({"podSecurity": {"level": "baseline"}}, match=PODS)
    controls = [{"controlName": "Host Namespaces"}]
    spec: dict[str, Any] = {"hostNetwork": True, "containers": [{"name": "a"}]}
    exception = _exception(["check"], podSecurity=controls)
    assert says(rule, pod(spec), exception) == "fail, exempt"
    spec["containers"][0]["securityContext"] = {"privileged": True}
    assert says(rule, pod(spec), exception) == "fail"


def test_a_policy_is_made_of_its_exceptions_too() -> None:
    """So that a change of one can be told."""
    exception = _exception(["check"])
    made = only(linked(Kyverno(), policy({"deny": {}}), exception))
    assert list(made.parts) == [ident_of(policy({})), ident_of(exception)]


def test_a_broken_exception_is_a_problem() -> None:
    """The policy stands."""
    found = linked(Kyverno(), policy({"deny": {}}), _exception(["check"], match=None))
    assert "match" in str(found.problems[0])
    assert len(found.policies) == 1
