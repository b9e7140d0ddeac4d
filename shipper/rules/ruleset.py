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
from shipper.rules.prefilter import NO_FILTER, Filter, prefilter

MALFORMED = "malformed-line"
"""The built-in rule: lines that are no audit event. Overrides may name it."""


class Malformed(NamedTuple):
    """How the built-in rule is told."""

    severity: Severity = "low"
    mode: Literal["alert", "shadow", "off"] = "alert"


_DEFAULT = Malformed()


class RuleSet:
    """Rules in the order of their names, those that are off left out, and their parameters.

    `inert` are those that the parameters alone keep from ever matching.

    `sha256` (hex) covers the canonical form of all of it: every rule as written with the config's
    overrides applied, and the value of every parameter. Two sets with the same hash say the same.
    """

    __slots__ = ("environment", "filters", "inert", "malformed", "off", "params", "rules", "sha256")

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        environment: Environment,
        params: Mapping[str, Any],
        off: Iterable[str] = (),
        malformed: Malformed = _DEFAULT,
    ) -> None:
        self.rules: Sequence[Rule] = tuple(sorted(rules, key=lambda rule: rule.name))
        self.environment = environment
        self.params = dict(params)
        self.off = tuple(sorted(off))
        self.malformed = malformed
        self.filters = {rule: _filter(rule, self.params) for rule in self.rules}
        self.inert = tuple(rule for rule, found in self.filters.items() if found.never)
        self.sha256 = _digest(self)

    def expired(self, now: datetime) -> list[tuple[Rule, str]]:
        """The exceptions that no longer hold, each with its reason."""
        return [
            (rule, exempted.reason)
            for rule in self.rules
            for exempted in rule.exceptions
            if exempted.until is not None and exempted.until <= now
        ]


def _filter(rule: Rule, params: Mapping[str, Any]) -> Filter:
    return prefilter(rule.when.tree, params) if rule.when else NO_FILTER


def _digest(rule_set: RuleSet) -> str:
    """SHA-256 over compact JSON with sorted keys."""
    page = {
        "malformed": rule_set.malformed,
        "off": rule_set.off,
        "params": rule_set.params,
        "rules": [msgspec.to_builtins(rule.written) for rule in rule_set.rules],
    }
    return hashlib.sha256(msgspec.json.encode(page, order="sorted")).hexdigest()
