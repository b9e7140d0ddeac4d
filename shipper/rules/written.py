"""The writes whose objects the policies need: those that they speak of, and those that change them.

Asks the policies; of custom resources only those that policies are made of are known. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipper.rules.dialects.kinds import kind_of, resource_of
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.review import Operation, Target
from shipper.rules.guardrails.replay import Replay
from shipper.rules.probes import Probe
from shipper.rules.resources import BUILT_IN, Resource
from shipper.rules.ruleset import RuleSet
from shipper.rules.terms import CONNECTED

_VERBS: Mapping[str, tuple[Operation, ...]] = {
    "create": ("CREATE",),
    "update": ("UPDATE",),
    "patch": ("UPDATE", "CREATE"),
    "delete": ("DELETE",),
}
"""The operations that a request may be; an apply is a patch that may create."""

_VERSIONS = ("v1", "v2", "v1beta1")
"""Of built-in resources."""

_STAGES = frozenset(("ResponseComplete",))


def written(rules: RuleSet) -> list[Probe]:
    """The requests of which the object must be logged as it was stored; none without policies."""
    judged = [
        Probe(verb, resource, _STAGES)
        for resource in BUILT_IN
        if resource.subresource not in CONNECTED
        for verb, operations in _VERBS.items()
        if _concerns(rules.policies, resource, operations)
    ]
    changing = [
        Probe(verb, resource, _STAGES)
        for resource in sorted(_followed(rules))
        for verb in ("create", "update", "patch")
    ]
    return list(dict.fromkeys([*judged, *changing]))


def _concerns(policies: PolicySet, resource: Resource, operations: tuple[Operation, ...]) -> bool:
    group, name, subresource = resource
    kind = kind_of(group, name, subresource)
    return any(
        policies.concerned(Target(operation, group, version, name, subresource, kind))
        for operation in operations
        for version in _VERSIONS
    )


def _followed(rules: RuleSet) -> Iterator[Resource]:
    """What the log must show to keep the policies current, in the languages that are in use."""
    if not rules.replayed:
        return
    objects = rules.policies.objects
    groups = {ident.group for ident in objects}
    for group, name in Replay(rules.policies, rules.guarded.replayed_by).resources:
        if name != "*" and (not groups or group in groups or not group):
            yield Resource(group, name)
    for ident in objects:
        yield Resource(ident.group, resource_of(ident.group, ident.kind))
