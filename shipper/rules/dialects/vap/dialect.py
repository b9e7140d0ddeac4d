"""From the objects of admissionregistration.k8s.io to policies that can be asked.

Reads what was given; asks no cluster. A policy without a binding is not in force, and left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from shipper.rules.dialects.activations import Activations, environment
from shipper.rules.dialects.policy import Ident, Linked, Objects, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.dialects.vap.make import Item, Maker
from shipper.rules.dialects.vap.params import group_of, meant
from shipper.rules.dialects.vap.policy import Made, VapPolicy
from shipper.rules.document import Problem

GROUP = "admissionregistration.k8s.io"
POLICY = (GROUP, "ValidatingAdmissionPolicy")
BINDING = (GROUP, "ValidatingAdmissionPolicyBinding")


class _Kept(NamedTuple):
    """What was made of a policy, and what it was made of."""

    sources: Sequence[Item]
    made: Made | None
    problems: Sequence[Problem]


class Vap:
    """See `dialects.policy.Dialect`."""

    kinds: Collection[tuple[str, str]] = frozenset((POLICY, BINDING))

    def __init__(self) -> None:
        self._environment = environment()
        self._kept: dict[Ident, _Kept] = {}

    def wants(self, objects: Objects) -> Collection[tuple[str, str]]:
        """The kinds of the policies' parameters."""
        kinds = (_param_kind(source) for ident, source in objects.items() if ident[:2] == POLICY)
        return {kind for kind in kinds if kind is not None}

    def link(self, objects: Objects) -> Linked:
        """The policies that a binding puts in force."""
        of_kind: dict[tuple[str, str], list[Item]] = {}
        for ident, source in objects.items():
            of_kind.setdefault((ident.group, ident.kind), []).append((ident, source))
        bound: dict[str, list[Item]] = {}
        for item in of_kind.get(BINDING, ()):
            bound.setdefault(_policy_name(item[1]), []).append(item)
        self._kept = {
            policy[0]: self._linked(policy, bound.get(policy[0].name, []), of_kind)
            for policy in of_kind.get(POLICY, ())
        }
        activations = Activations(self._environment)
        made = [VapPolicy(kept.made, activations) for kept in self._kept.values() if kept.made]
        activations.serve(made)
        nameless = [
            problem_in(*item, ("spec", "policyName"), "must name a policy")
            for item in bound.get("", ())
        ]
        problems = [one for kept in self._kept.values() for one in kept.problems]
        return Linked(made, [*problems, *nameless])

    def _linked(
        self, policy: Item, bindings: Sequence[Item], of_kind: dict[tuple[str, str], list[Item]]
    ) -> _Kept:
        kind = _param_kind(policy[1])
        params = meant(bindings, of_kind.get(kind, [])) if kind and bindings else []
        sources = [policy, *bindings, *params]
        before = self._kept.get(policy[0])
        if before is not None and _are_same(before.sources, sources):
            return before
        maker = Maker(self._environment, policy)
        made = maker.made(bindings, dict(params))
        return _Kept(sources, made, maker.problems)


def _are_same(before: Sequence[Item], now: Sequence[Item]) -> bool:
    """Whether they are the same objects; two that are merely alike are not compared."""
    return len(before) == len(now) and all(
        old[1].value is new[1].value for old, new in zip(before, now, strict=True)
    )


def _spec(source: Source) -> dict[str, Any]:
    spec = source.value.get("spec")
    return spec if isinstance(spec, dict) else {}


def _policy_name(source: Source) -> str:
    name = _spec(source).get("policyName")
    return name if isinstance(name, str) else ""


def _param_kind(source: Source) -> tuple[str, str] | None:
    kind = _spec(source).get("paramKind")
    if not isinstance(kind, dict):
        return None
    version, name = kind.get("apiVersion"), kind.get("kind")
    return (group_of(version), name) if isinstance(version, str) and isinstance(name, str) else None
