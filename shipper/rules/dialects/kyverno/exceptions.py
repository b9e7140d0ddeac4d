"""PolicyExceptions (kyverno.io): objects that rules of policies spare.

Source: kyverno pkg/engine/utils/exceptions.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipper.rules.dialects.kyverno.conditions import Conditions
from shipper.rules.dialects.kyverno.podsecurity import Exclusion
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.selection import Filter, texts
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.kyverno.wildcards import matches_any
from shipper.rules.dialects.policy import Ident


class PolicyException:
    """One exception. Raises ValueError."""

    def __init__(self, ident: Ident, spec: Mapping[str, Any]) -> None:
        self.ident = ident
        listed = spec.get("exceptions") or []
        if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
            raise ValueError("spec.exceptions must be a list of maps")
        self._rules = [(str(one.get("policyName", "")), texts(one, "ruleNames")) for one in listed]
        match = spec.get("match")
        if not isinstance(match, Mapping):
            raise ValueError("spec.match is missing")  # noqa: TRY004 - of the exception's text
        self._match = Filter(match)
        conditions = spec.get("conditions")
        self._conditions = Conditions(conditions) if conditions else None
        self.exclusions: Sequence[Exclusion] = [
            Exclusion.of(one) for one in spec.get("podSecurity") or ()
        ]

    def concerns(self, policy: Ident) -> bool:
        """Whether it is about any rule of this policy."""
        return any(name == _key(policy) for name, _ in self._rules)

    def names(self, policy: Ident, rule: str) -> bool:
        """Whether it is about this rule of this policy."""
        key = _key(policy)
        return any(name == key and matches_any(rules, rule) for name, rules in self._rules)

    def spares(self, subject: Subject, question: Question) -> bool:
        """Whether the object is spared. Raises EvaluationError, UndecidedError."""
        if not self._match.selects(subject, user=True):
            return False
        return self._conditions is None or self._conditions.hold(question)


def _key(policy: Ident) -> str:
    return f"{policy.namespace}/{policy.name}" if policy.namespace else policy.name
