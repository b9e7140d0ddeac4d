"""The cluster's audit policy (audit.k8s.io/v1 Policy), and what it says of a request.

As the API server reads it: the first rule that fits decides, and what fits none is not logged
(k8s.io/apiserver/pkg/audit/policy, checker.go). Where a rule of it speaks of users, groups,
namespaces or names of objects, a request known only by verb and resource may fit it or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from shipper.errors import ConfigError
from shipper.rules.conform import conform
from shipper.rules.document import Document, Problem
from shipper.rules.files import read_file
from shipper.rules.resources import Resource

PolicyLevel = Literal["None", "Metadata", "Request", "RequestResponse"]
Stage = Literal["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A part of the file."""


class GroupResources(_Form, frozen=True):
    """Resources of one API group; none named: all of them."""

    group: str = ""
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class PolicyRule(_Form, frozen=True):
    """One rule; a list that is empty restricts nothing."""

    level: PolicyLevel
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    namespaces: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")
    omit_stages: tuple[Stage, ...] = ()
    omit_managed_fields: bool | None = None


class Policy(_Form, frozen=True):
    """The file."""

    api_version: Literal["audit.k8s.io/v1"]
    kind: Literal["Policy"]
    rules: Annotated[tuple[PolicyRule, ...], msgspec.Meta(min_length=1)]
    omit_stages: tuple[Stage, ...] = ()
    omit_managed_fields: bool = False
    metadata: dict[str, Any] = {}


class Request(NamedTuple):
    """A request, as far as it is known: its verb, what it names, and whose and where it may be.

    `users` and `namespaces` are all that come into question; None: any.
    """

    verb: str
    resource: Resource
    users: frozenset[str] | None = None
    namespaces: frozenset[str] | None = None


class Step(NamedTuple):
    """A rule of the policy that decides, surely or for some, and its number from 1.

    0: no rule fits, so nothing is logged.
    """

    number: int
    rule: PolicyRule
    surely: bool


def load_policy(path: Path) -> Policy:
    """The policy in the file. Raises ConfigError with every mistake there is."""
    documents, problems = read_file(path, str(path))
    policy = None
    if not problems and len(documents) != 1:
        problems.append(Problem(str(path), 0, f"holds {len(documents)} documents, not one"))
    if not problems:
        policy, problems = _policy(documents[0])
    if policy is None:
        shown = "".join(f"\n  {problem}" for problem in problems)
        raise ConfigError(f"this is no audit policy:{shown}")
    return policy


def _policy(document: Document) -> tuple[Policy | None, list[Problem]]:
    policy, mistakes = conform(document.value, Policy)
    return policy, [document.problem(path, reason) for path, reason, _ in mistakes]


def steps(policy: Policy, request: Request) -> Iterator[Step]:
    """The rules that may decide on `request`, up to the first that surely does."""
    for number, rule in enumerate(policy.rules, 1):
        fits = _fits(rule, request)
        if fits is not None:
            yield Step(number, rule, fits)
            if fits:
                return
    yield Step(0, PolicyRule(level="None"), surely=True)


def logged_stages(policy: Policy, rule: PolicyRule) -> frozenset[str]:
    """The stages of which a request that `rule` decides on leaves events."""
    stages = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
    return frozenset(stages) - {*policy.omit_stages, *rule.omit_stages}


def _fits(rule: PolicyRule, request: Request) -> bool | None:
    """True: it does; False: for some users, namespaces or names; None: never."""
    if rule.verbs and request.verb not in rule.verbs:
        return None
    users = _covers(rule.users, request.users)
    namespaces = _covers(rule.namespaces, request.namespaces)
    if users is None or namespaces is None:
        return None
    open_to_all = users and namespaces and not rule.user_groups
    if rule.resources:
        fits = [
            not group.resource_names
            for group in rule.resources
            if group.group == request.resource.group and _names(group, request.resource)
        ]
        return any(fits) and open_to_all if fits else None
    if rule.non_resource_urls and not rule.namespaces:
        return None
    return open_to_all


def _covers(listed: tuple[str, ...], possible: frozenset[str] | None) -> bool | None:
    """Whether all that come into question are listed; None if none of them is."""
    if not listed:
        return True
    if possible is None:
        return False
    return None if possible.isdisjoint(listed) else possible <= set(listed)


def _names(group: GroupResources, wanted: Resource) -> bool:
    return not group.resources or any(
        name in ("*", str(wanted))
        or (wanted.subresource and name == f"*/{wanted.subresource}")
        or name == f"{wanted.resource}/*"
        for name in group.resources
    )
