"""`shipper/rules/dialects/bound.py`: policies that only wait for a binding."""

from __future__ import annotations

from typing import Any

from shipper.rules.dialects import registry
from shipper.rules.dialects.bound import GROUP, all_bound, unbound
from shipper.rules.dialects.objects import ident_of
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.policy import Source


def one(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    version = f"{GROUP}/v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}


def policy(name: str) -> dict[str, Any]:
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    return one(
        "ValidatingAdmissionPolicy",
        name,
        matchConstraints={"resourceRules": [rule]},
        validations=[{"expression": "false"}],
    )


def binding(name: str, of: str) -> dict[str, Any]:
    return one("ValidatingAdmissionPolicyBinding", name, policyName=of, validationActions=["Audit"])


def policies(*objects: dict[str, Any]) -> PolicySet:
    found = {ident: Source(each, None) for each in objects if (ident := ident_of(each))}
    return PolicySet(found, registry.dialects([GROUP]))


def in_force(found: PolicySet) -> dict[str, str]:
    return {each.ident.name: each.action for each in found.policies}


def test_what_nothing_binds_denies() -> None:
    """And what is bound does what its binding says; a binding's own name is no matter."""
    given = policies(policy("a"), policy("b"), binding("a", of="b"))
    assert [ident.name for ident in unbound(given.objects)] == ["a"]
    assert in_force(given) == {"b": "audit"}
    assert in_force(all_bound(given)) == {"a": "deny", "b": "audit"}


def test_a_set_without_such_stays_as_it_is() -> None:
    """The very same, with what it remembers."""
    for given in (PolicySet(), policies(policy("b"), binding("x", of="b"))):
        assert all_bound(given) is given


def test_malformed_bindings_bind_nothing() -> None:
    """They are problems of their own where they are linked."""
    broken = one("ValidatingAdmissionPolicyBinding", "x") | {"spec": ["a"]}
    found = {
        ident: Source(each, None) for each in (policy("a"), broken) if (ident := ident_of(each))
    }
    assert [ident.name for ident in unbound(found)] == ["a"]
