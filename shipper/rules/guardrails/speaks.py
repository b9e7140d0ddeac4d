"""What policies say of themselves, for people: language, action, what they speak of, what stays
open. Asks no policy about an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shipper.rules.dialects.policy import Policy
from shipper.rules.dialects.registry import language_of
from shipper.rules.dialects.review import Operation, Target
from shipper.rules.resources import BUILT_IN

_OPERATIONS: Sequence[Operation] = ("CREATE", "UPDATE", "DELETE", "CONNECT")


class Said(NamedTuple):
    """One policy. `resources`: those of every API server that it speaks of, with their operations;
    none: it speaks of custom resources alone."""

    policy: Policy
    language: str
    resources: Sequence[str]
    operations: Sequence[str]


def describe(policy: Policy) -> Said:
    """What there is to say of the policy."""
    asked = [
        (operation, resource)
        for resource in BUILT_IN
        for operation in _OPERATIONS
        if policy.may_concern(
            Target(operation, resource.group, "v1", resource.resource, resource.subresource, "")
        )
    ]
    return Said(
        policy,
        language_of(policy.ident.group) or policy.ident.group,
        list(dict.fromkeys(str(resource) for _, resource in asked)),
        [one for one in _OPERATIONS if any(operation == one for operation, _ in asked)],
    )
