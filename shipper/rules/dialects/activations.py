"""A review as the variables of CEL, converted once for all policies that are asked about it.

Binds no more than the policies concerned speak of: what is bound is converted, and that costs more
than most expressions do. What the review can not answer is left unbound, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from shipper.rules.cel import Activation, Environment
from shipper.rules.dialects.kinds import kind_of
from shipper.rules.dialects.review import Review, Target
from shipper.rules.fields import Wanted, prune, without_nulls
from shipper.rules.terms import UNBOUND, wanted

ALONE = ("request.kind", "request.options", "request.requestKind", "request.userInfo")
"""Members of `request` that may be unknown where the others are known."""

_VARIABLES = (
    "authorizer", "namespaceObject", "object", "oldObject", "params", "request", "variables",
)  # fmt: skip

_MAX_TARGETS = 4096
"""How many targets' wants are remembered: kinds times operations of a large cluster."""


class Asking(Protocol):
    """A policy, as far as it matters here."""

    @property
    def paths(self) -> frozenset[tuple[str, ...]]:
        """All that its expressions speak of."""

    def may_concern(self, target: Target) -> bool:
        """Whether it may be asked about reviews with this target."""


def environment() -> Environment:
    """What expressions of admission policies may speak of."""
    return Environment(_VARIABLES)


class Activations:
    """Of the review that is being judged; for one thread at a time."""

    def __init__(self, environment: Environment, *, nulls: bool = False) -> None:
        """`nulls`: a null field is set, as for those who know no types of the objects."""
        self._environment = environment
        self._nulls = nulls
        self._policies: Sequence[Asking] = ()
        self._wanted: dict[Target, Wanted] = {}
        self._review: Review | None = None
        self._values: dict[str, Any] = {}
        self._clean = False
        self._made: dict[int, tuple[Any, Activation]] = {}
        """By the identity of the parameters, which are kept here: it would be used again."""

    def serve(self, policies: Sequence[Asking]) -> None:
        """These policies are to be asked, and no others; what others wanted is forgotten."""
        self._policies = policies
        self._wanted.clear()
        self._review = None

    def of(self, review: Review, params: Mapping[str, Any] | None = None) -> Activation:
        """The review's variables; `params` where they are no part of the expressions."""
        if review is not self._review:
            self._bind(review)
        made = self._made.get(id(params))
        if made is None:
            values = self._values if params is None else {**self._values, "params": params}
            clean = self._clean and params is None
            made = params, self._environment.activation(values, clean=clean)
            self._made[id(params)] = made
        return made[1]

    def _bind(self, review: Review) -> None:
        below = self._wants(review.target)
        self._values = {
            name: value
            for name, value in _variables(review, below).items()
            if name in below and value is not UNBOUND
        }
        self._clean = False
        try:
            raw = msgspec.json.encode(self._values)
        except (UnicodeEncodeError, RecursionError):
            pass  # the activation repairs what the engine would not take
        else:
            self._clean = b"\\u0000" not in raw
            if b"null" in raw and not self._nulls:
                self._values = {name: without_nulls(item) for name, item in self._values.items()}
        self._made = {}
        self._review = review

    def _wants(self, target: Target) -> Wanted:
        below = self._wanted.get(target)
        if below is None:
            if len(self._wanted) >= _MAX_TARGETS:
                self._wanted.clear()
            asked = [policy for policy in self._policies if policy.may_concern(target)]
            paths = {_standing_alone(path) for policy in asked for path in policy.paths}
            below = self._wanted[target] = wanted(paths)
        return below


def _standing_alone(path: tuple[str, ...]) -> tuple[str, ...]:
    """A member that is a variable of its own is known by its whole name."""
    name = ".".join(path[:2])
    return (name, *path[2:]) if name in ALONE else path


def _variables(review: Review, below: Wanted) -> Mapping[str, Any]:
    target = review.target
    resource = {"group": target.group, "version": target.version, "resource": target.resource}
    kind = kind_under_review(review)
    return {
        "object": prune(review.object, below.get("object")),
        "oldObject": prune(review.old_object, below.get("oldObject")),
        "namespaceObject": prune(review.namespace_object, below.get("namespaceObject")),
        "request": {
            "operation": target.operation,
            "resource": resource,
            "requestResource": resource,
            "subResource": target.subresource,
            "requestSubResource": target.subresource,
            "name": review.name,
            "namespace": review.namespace,
            "dryRun": review.dry_run,
        },
        "request.kind": kind,
        "request.requestKind": kind,
        "request.userInfo": _user_info(review),
    }


def kind_under_review(review: Review) -> Any:
    """Group, version and kind of the body; UNBOUND where they are not known."""
    for shown in (review.object, review.old_object):
        if isinstance(shown, dict) and isinstance(shown.get("kind"), str):
            group, _, version = str(shown.get("apiVersion", "")).rpartition("/")
            return {"group": group, "version": version, "kind": shown["kind"]}
    target = review.target
    kind = target.kind or kind_of(target.group, target.resource, target.subresource)
    if not kind or target.subresource:
        return UNBOUND
    return {"group": target.group, "version": target.version, "kind": kind}


def _user_info(review: Review) -> Any:
    who = review.identity
    if who is None:
        return UNBOUND
    return {
        "username": who.username,
        "groups": list(who.groups),
        "uid": who.uid,
        "extra": who.extra,
    }
