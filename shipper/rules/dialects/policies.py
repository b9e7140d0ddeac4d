"""The policies in force at one moment, whatever their languages, and what they say of a review.

Immutable. What a policy can not answer, or fails at, is indeterminate; nothing is raised on data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shipper.rules.dialects.objects import is_namespace, labelled
from shipper.rules.dialects.policy import Dialect, Ident, Linked, Objects, Policy, Source, Verdict
from shipper.rules.dialects.review import Review, Target
from shipper.rules.document import Problem
from shipper.rules.terms import UNBOUND

MAX_TARGETS = 4096
"""Targets for which it is remembered which policies they concern."""

NO_OBJECTS: Objects = {}


class PolicySet:
    """What `objects` put in force. For one thread at a time, as its policies are.

    `problems`: what is wrong with objects that make no policy. `sha256` (hex) covers every object:
    two sets with the same hash say the same.
    """

    def __init__(self, objects: Objects = NO_OBJECTS, dialects: Sequence[Dialect] = ()) -> None:
        self.objects = objects
        linked = [dialect.link(objects) for dialect in dialects]
        self.policies: Sequence[Policy] = sorted(_policies(linked), key=lambda one: one.ident)
        self.problems: Sequence[Problem] = [one for link in linked for one in link.problems]
        self._namespaces = {
            ident.name: labelled(source.value)
            for ident, source in objects.items()
            if is_namespace(ident)
        }
        self._concerned: dict[Target, tuple[Policy, ...]] = {}

    @property
    def sha256(self) -> str:
        """The hash of the objects."""
        return digest({ident: value_sha256(source) for ident, source in self.objects.items()})

    def concerned(self, target: Target) -> tuple[Policy, ...]:
        """The policies that need be asked of reviews with this target."""
        found = self._concerned.get(target)
        if found is None:
            if len(self._concerned) >= MAX_TARGETS:
                self._concerned.clear()
            found = tuple(one for one in self.policies if one.may_concern(target))
            self._concerned[target] = found
        return found

    def judge(self, review: Review) -> list[tuple[Policy, Verdict]]:
        """What each rule of each policy that speaks of the review says."""
        return [
            (policy, verdict)
            for policy in self.concerned(review.target)
            for verdict in asked(policy, review)
        ]

    def namespace(self, name: str) -> Any:
        """The Namespace as it stands among the objects: null for "", `UNBOUND` if not known."""
        return self._namespaces.get(name, UNBOUND) if name else None


def asked(policy: Policy, review: Review) -> Sequence[Verdict]:
    """What the policy says; its own failure is a verdict too."""
    try:
        return policy.judge(review)
    except Exception as error:  # noqa: BLE001 - one policy's fault must not end the others
        reason = f"the policy failed: {type(error).__name__}"
        return [Verdict("indeterminate", message=reason, action=policy.action)]


def value_sha256(source: Source) -> bytes:
    """The SHA-256 of an object's canonical JSON (compact, sorted keys)."""
    return hashlib.sha256(msgspec.json.encode(source.value, order="sorted")).digest()


def digest(hashes: Mapping[Ident, bytes]) -> str:
    """One hash (hex) over the objects with these hashes, in the order of their idents."""
    page = [(ident, hashes[ident].hex()) for ident in sorted(hashes)]
    return hashlib.sha256(msgspec.json.encode(page)).hexdigest()


def _policies(linked: Sequence[Linked]) -> list[Policy]:
    return [policy for link in linked for policy in link.policies]
