"""The requests that a rule may concern: every verb of every resource that passes its match block.

Made of events that say nothing but that, so a rule that asks for more in `when` may concern fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import NamedTuple

from shipper.rules.compile import Rule
from shipper.rules.event import Event, ObjectRef, Status, User
from shipper.rules.match import compile_match, exact, one_of
from shipper.rules.needs import VERBS
from shipper.rules.prefilter import Filter
from shipper.rules.resources import BUILT_IN, Resource
from shipper.rules.rule import Match, Stage
from shipper.rules.terms import Terms

_CODES = (200, 403, 422)
_STAGES: tuple[Stage, ...] = ("ResponseComplete", "ResponseStarted", "RequestReceived", "Panic")


class Probe(NamedTuple):
    """A request, and the stages in whose events the rule may see it: one of them is enough."""

    verb: str
    resource: Resource
    stages: frozenset[str]


def probes(rule: Rule, needed: Filter) -> list[Probe]:
    """What the rule may concern; at least what its match block names."""
    named = list(_named(rule.match))
    found = [
        Probe(verb, resource, stages)
        for verb, resource in named
        if (stages := _stages(rule, needed, verb, resource))
    ]
    return found or [Probe(verb, resource, frozenset(_STAGES)) for verb, resource in named]


def _named(match: Match) -> Iterator[tuple[str, Resource]]:
    """Verbs and resources that pass, as far as the block speaks of them."""
    fits_verb = one_of(match.verbs)
    block = Match(resources=match.resources, api_groups=match.api_groups, stages=_STAGES)
    fits = compile_match(block)
    for resource in dict.fromkeys([*_written(match), *BUILT_IN]):
        event = _event("", resource, stage=_STAGES[0], code=0, user="", groups=(), namespace="")
        if fits(Terms(event, b"").key):
            yield from ((verb, resource) for verb in VERBS if fits_verb(verb))


def _written(match: Match) -> Iterator[Resource]:
    """The resources that stand in the block, in the groups that do or that have them."""
    for pattern in exact(match.resources) or ():
        name, _, subresource = pattern.partition("/")
        groups = exact(match.api_groups) or {
            known.group for known in BUILT_IN if known.resource == name
        }
        for group in sorted(groups or {""}):
            yield Resource(group, name, subresource)


def _stages(rule: Rule, needed: Filter, verb: str, resource: Resource) -> frozenset[str]:
    """The stages in which somebody's request, answered somehow, passes all that is known of it."""
    names = _names(rule.match.users, "somebody"), _names(rule.match.namespaces, "default")
    groups = tuple(_names(rule.match.groups, "system:authenticated"))
    found = set()
    for user, namespace, code, stage in product(*names, _CODES, _STAGES):
        event = _event(
            verb, resource, stage=stage, code=code, user=user, groups=groups, namespace=namespace
        )
        if stage not in found and _passes(rule, needed, event):
            found.add(stage)
    nobody = _event(
        verb, resource, stage="ResponseStarted", code=401, user="", groups=(), namespace=""
    )
    if not found and _passes(rule, needed, nobody):  # a failed login has this one event
        found.add("ResponseStarted")
    return frozenset(found)


def _passes(rule: Rule, needed: Filter, event: Event) -> bool:
    terms = Terms(event, b"")
    return rule.matches(terms.key) and (needed.stable is None or needed.stable(terms))


def _names(patterns: Sequence[str], usual: str) -> list[str]:
    """Names that may pass `patterns`, for want of all there are."""
    filled = [pattern.replace("*", "x") for pattern in patterns if not pattern.startswith("!")]
    return [*filled[:3], usual] if filled else [usual]


def _event(
    verb: str,
    resource: Resource,
    *,
    stage: str,
    code: int,
    user: str,
    groups: tuple[str, ...],
    namespace: str,
) -> Event:
    return Event(
        kind="Event",
        apiVersion="audit.k8s.io/v1",
        auditID="",
        stage=stage,
        stageTimestamp=datetime(2026, 1, 1, tzinfo=UTC),
        verb=verb,
        user=User(username=user, groups=groups),
        objectRef=ObjectRef(
            resource=resource.resource,
            subresource=resource.subresource,
            apiGroup=resource.group,
            namespace=namespace,
        ),
        responseStatus=Status(code=code),
    )
