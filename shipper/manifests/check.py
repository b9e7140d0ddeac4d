"""Asks every policy and every rule about every manifest.

What could not be decided is a result of its own, never a pass. Pure: the moment is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from shipper.manifests.event import askable, event
from shipper.manifests.manifest import MAX_NAME, Manifest
from shipper.manifests.read import Read
from shipper.manifests.result import Level, Report, Result
from shipper.manifests.review import namespaces, review
from shipper.model import Finding, Severity
from shipper.rules.dialects.bound import all_bound, unbound
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.policy import Policy, Verdict
from shipper.rules.engine import Engine
from shipper.rules.message import MAX_MESSAGE
from shipper.rules.ruleset import RuleSet
from shipper.text import harmless

_LEVELS: Mapping[Severity, Level] = {
    "critical": "deny", "high": "deny", "medium": "warn", "low": "warn", "info": "warn",
}  # fmt: skip
"""A rule of our own has no action: what would call somebody at once is not let pass here either."""


def check(read: Read, rules: RuleSet, *, now: datetime) -> Report:
    """What the rules and policies of the set say of the manifests."""
    policies = _Policies(all_bound(rules.policies), read.manifests)
    found = askable(rules)
    engine = Engine(found.rules)
    results: list[Result] = []
    for number, one in enumerate(read.manifests):
        results += policies.results(one)
        line = event(one, now=now, number=number)
        results += (_of_rule(one, finding) for finding in engine.evaluate([line]))
    return Report(
        manifests=read.manifests,
        results=results,
        policies=len(policies.policies.policies),
        rules=len(found.rules.rules) - len(found.rules.inert),
        passed=policies.passed,
        unbound=[harmless(str(ident), MAX_NAME) for ident in unbound(rules.policies.objects)],
        not_asked=found.not_asked,
        passed_by=read.passed_by,
        rules_sha256=rules.sha256,
    )


class _Policies:
    """The policies, and the Namespaces that are known."""

    def __init__(self, policies: PolicySet, manifests: Sequence[Manifest]) -> None:
        self.policies = policies
        self.passed = 0
        self._namespaces = namespaces(manifests)

    def results(self, one: Manifest) -> Iterator[Result]:
        """What they say of one manifest, but for what passes or is exempt."""
        for policy, verdict in self.policies.judge(review(one, self._namespace(one.namespace))):
            if verdict.outcome == "pass" or verdict.exempt:
                self.passed += not verdict.exempt
            else:
                yield _of_policy(one, policy, verdict)

    def _namespace(self, name: str) -> Any:
        return self._namespaces.get(name) or self.policies.namespace(name)


def _of_policy(one: Manifest, policy: Policy, verdict: Verdict) -> Result:
    level: Level = "deny" if verdict.action == "deny" else "warn"
    message = verdict.message
    if verdict.outcome == "indeterminate":
        level, message = "undecided", f"could not be decided: {message}"
    name = harmless(str(policy.ident), MAX_NAME)
    return Result(
        level=level,
        policy=name,
        rule=harmless(verdict.rule.removeprefix(f"{policy.ident.name}: "), MAX_NAME),
        title=name,
        message=harmless(message, MAX_MESSAGE),
        manifest=one,
        line=one.document.lines(verdict.path).key if verdict.path else one.document.line,
    )


def _of_rule(one: Manifest, finding: Finding) -> Result:
    level = "warn" if finding.mode == "shadow" else _LEVELS[finding.severity]
    return Result(
        level=level if finding.verdict == "match" else "undecided",
        policy=f"AuditRule {finding.rule}",
        rule="",
        title=finding.title,
        message=finding.message,
        manifest=one,
        line=one.document.line,
    )
