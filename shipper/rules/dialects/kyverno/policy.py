"""A ClusterPolicy or Policy, ready to be asked."""

from __future__ import annotations

from collections.abc import Sequence

from shipper.rules.cel.paths import Path
from shipper.rules.dialects.kyverno.actions import strictest
from shipper.rules.dialects.kyverno.celrule import CelCheck
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.rule import Rule
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.policy import Action, Ident, Source, Verdict
from shipper.rules.dialects.review import Review, Target

_MAX_TARGETS = 4096
"""Targets for which it is remembered which rules they concern."""


class KyvernoPolicy:
    """Its rules, in order, with those that it makes for controllers."""

    def __init__(
        self,
        ident: Ident,
        source: Source,
        rules: Sequence[Rule],
        *,
        parts: Sequence[Ident],
        unanswerable: Sequence[str],
        first_only: bool,
    ) -> None:
        self.ident = ident
        self.source = source
        self.parts = parts
        self.unanswerable = unanswerable
        self.paths: frozenset[Path] = frozenset(
            path for rule in rules if isinstance(rule.check, CelCheck) for path in rule.check.paths
        )
        self._rules = rules
        self._first_only = first_only
        self._concerned: dict[Target, Sequence[Rule]] = {}

    @property
    def action(self) -> Action:
        """The strictest of its rules'."""
        return strictest([rule.actions for rule in self._rules])

    def may_concern(self, target: Target) -> bool:
        """Whether a rule may speak of reviews with this target."""
        return bool(self._of_target(target))

    def _of_target(self, target: Target) -> Sequence[Rule]:
        found = self._concerned.get(target)
        if found is None:
            if len(self._concerned) >= _MAX_TARGETS:
                self._concerned.clear()
            found = [rule for rule in self._rules if rule.may_select(target)]
            self._concerned[target] = found
        return found

    def judge(self, review: Review) -> Sequence[Verdict]:
        """What each rule that speaks of the review says."""
        if self.ident.namespace and review.namespace != self.ident.namespace:
            return []
        subject = Subject(review)
        question = Question(subject, Meter())
        found: list[Verdict] = []
        for rule in self._of_target(review.target):
            verdict = _said(rule, subject, question)
            if verdict is not None:
                found.append(verdict)
                if self._first_only and not verdict.exempt:
                    break
        return found


def _said(rule: Rule, subject: Subject, question: Question) -> Verdict | None:
    try:
        return rule.judge(subject, question)
    except RecursionError:
        reason = "cost limit: values nested too deeply"
        return Verdict("indeterminate", rule.name, reason, rule.actions.strictest)
