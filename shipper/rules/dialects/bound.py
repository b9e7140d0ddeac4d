"""Binds the policies that nothing binds, for those who ask what a policy would do.

Only the cluster's own ValidatingAdmissionPolicies need a binding. What is bound stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipper.rules.dialects import registry
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.policy import Ident, Objects, Source

GROUP = "admissionregistration.k8s.io"
_POLICY, _BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"


def unbound(objects: Objects) -> list[Ident]:
    """The policies among `objects` that no binding names."""
    names = {
        _spec(source.value).get("policyName")
        for ident, source in objects.items()
        if ident[:2] == (GROUP, _BINDING)
    }
    return [ident for ident in objects if ident[:2] == (GROUP, _POLICY) and ident.name not in names]


def all_bound(policies: PolicySet) -> PolicySet:
    """The same policies, with those besides that only wait for a binding: they deny everywhere."""
    found = unbound(policies.objects)
    if not found:
        return policies
    objects = dict(policies.objects) | dict(map(_binding, found))
    return PolicySet(objects, registry.dialects(ident.group for ident in objects))


def _binding(policy: Ident) -> tuple[Ident, Source]:
    name = f"{policy.name}/everywhere"  # no object's name has a slash
    value = {
        "apiVersion": f"{GROUP}/v1",
        "kind": _BINDING,
        "metadata": {"name": name},
        "spec": {"policyName": policy.name, "validationActions": ["Deny"]},
    }
    return Ident(GROUP, _BINDING, "", name), Source(value, None)


def _spec(value: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = value.get("spec")
    return spec if isinstance(spec, Mapping) else {}
