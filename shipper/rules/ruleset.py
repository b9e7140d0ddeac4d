"""The rules in force, and the hash that manifests carry of them. Immutable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from shipper.model import Severity
from shipper.rules.cel import Environment
from shipper.rules.compile import Rule
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.policy import Dialect
from shipper.rules.document import Problem
from shipper.rules.prefilter import NO_FILTER, Filter, prefilter

MALFORMED = "malformed-line"
"""The built-in rule: lines that are no audit event. Overrides may name it."""


class Malformed(NamedTuple):
    """How the built-in rule is told."""

    severity: Severity = "low"
    mode: Literal["alert", "shadow", "off"] = "alert"


_DEFAULT = Malformed()


class Guarded(NamedTuple):
    """The policies that writes are judged by, and how the built-in rule about them is told.

    `bypass` is None where it is off. `replayed_by`: the dialects that keep the set current from
    the log; without any it stays as it is.
    """

    policies: PolicySet = PolicySet()
    bypass: Rule | None = None
    replayed_by: tuple[Dialect, ...] = ()


_NOT_GUARDED = Guarded()


class RuleSet:
    """Rules in the order of their names, those that are off left out, and their parameters.

    `inert` are those that the parameters alone keep from ever matching.

    `notes` say what of the files is left out for a good reason.

    `sha256` (hex) covers the canonical form of all of it: every rule as written with the config's
    overrides applied, the value of every parameter, and the objects that make
    the policies. Two sets with the same hash say the same.
    """

    __slots__ = (
        "environment", "filters", "guarded", "inert", "malformed", "notes", "off", "params",
        "rules", "sha256",
    )  # fmt: skip

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        environment: Environment,
        params: Mapping[str, Any],
        off: Iterable[str] = (),
        malformed: Malformed = _DEFAULT,
        guarded: Guarded = _NOT_GUARDED,
        notes: Iterable[Problem] = (),
    ) -> None:
        self.rules: Sequence[Rule] = tuple(sorted(rules, key=lambda rule: rule.name))
        self.environment = environment
        self.params = dict(params)
        self.off = tuple(sorted(off))
        self.malformed = malformed
        self.guarded = guarded
        self.notes = tuple(notes)
        self.filters = {rule: _filter(rule, self.params) for rule in self.rules}
        self.inert = tuple(rule for rule, found in self.filters.items() if found.never)
        self.sha256 = _digest(self)

    @property
    def policies(self) -> PolicySet:
        """The policies; those that stand in files, where the log keeps them current."""
        return self.guarded.policies

    @property
    def replayed(self) -> bool:
        """Whether the log keeps the policies current."""
        return bool(self.guarded.replayed_by)

    def with_policies(self, policies: PolicySet, *replayed_by: Dialect) -> RuleSet:
        """The same rules beside other policies; nobody is told of a bypass of those.

        `replayed_by`: as in `Guarded`.
        """
        return RuleSet(
            self.rules,
            environment=self.environment,
            params=self.params,
            off=self.off,
            malformed=self.malformed,
            guarded=Guarded(policies, replayed_by=replayed_by),
        )

    def expired(self, now: datetime) -> list[tuple[Rule, str]]:
        """The exceptions that no longer hold, each with its reason."""
        told = (self.guarded.bypass,) if self.guarded.bypass else ()
        return [
            (rule, exempted.reason)
            for rule in (*self.rules, *told)
            for exempted in rule.exceptions
            if exempted.until is not None and exempted.until <= now
        ]


def _filter(rule: Rule, params: Mapping[str, Any]) -> Filter:
    return prefilter(rule.when.tree, params) if rule.when else NO_FILTER


def _digest(rule_set: RuleSet) -> str:
    """SHA-256 over compact JSON with sorted keys."""
    page: dict[str, Any] = {
        "malformed": rule_set.malformed,
        "off": rule_set.off,
        "params": rule_set.params,
        "rules": [msgspec.to_builtins(rule.written) for rule in rule_set.rules],
    }
    if rule_set.policies.objects or rule_set.replayed:
        bypass = rule_set.guarded.bypass
        page["policies"] = {
            "sha256": rule_set.policies.sha256,
            "replayed": rule_set.replayed,
            "bypass": msgspec.to_builtins(bypass.written) if bypass else None,
        }
    return hashlib.sha256(msgspec.json.encode(page, order="sorted")).hexdigest()
