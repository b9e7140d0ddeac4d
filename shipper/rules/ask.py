"""Asks the rules that an event may concern: filters, binds what is left to ask, evaluates.

A rule that fails, in whatever way, has an indeterminate verdict; the others are asked all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipper.rules.bind import Binder, Plan
from shipper.rules.cel import Activation, CelError, Program
from shipper.rules.compile import Rule
from shipper.rules.levels import BODY_ROOTS
from shipper.rules.maybe import Test
from shipper.rules.prefilter import Filter
from shipper.rules.report import Report
from shipper.rules.tell import Teller
from shipper.rules.terms import Terms

MAX_PLANS = 1024
"""Sets of rules for which it is remembered what they want bound."""


class Asked:
    """A rule ready to be asked."""

    __slots__ = ("changing", "programs", "rule", "stable", "teller", "when", "words")

    def __init__(self, rule: Rule, needed: Filter, teller: Teller) -> None:
        self.rule = rule
        self.stable: Test | None = needed.stable
        self.changing: Test | None = needed.changing
        self.words: Test | None = needed.words
        self.when: Program | None = None if needed.decides else rule.when
        """What CEL must be asked once the filter is passed."""
        self.programs = [exempted.when for exempted in rule.exceptions if exempted.when]
        if self.when is not None:
            self.programs.append(self.when)
        self.teller = teller

    def may_concern(self, terms: Terms) -> bool:
        """Whether the rule need be asked of events that are like this one."""
        if self.stable is not None and not self.stable(terms):
            return False
        return not any(
            exempted.match is not None and exempted.match(terms.key)
            for exempted in self.rule.exceptions
            if exempted.when is None and exempted.until is None
        )

    def is_left(self, terms: Terms) -> bool:
        """Whether the rule need be asked of this very event."""
        if self.changing is not None and not self.changing(terms):
            return False
        return self.words is None or self.words(terms)

    def verdict(self, terms: Terms, activation: Activation) -> bool | str:
        """Whether the rule matches, or why that can not be said."""
        verdict = self.when.evaluate(activation) if self.when else True
        if verdict is False or self._is_exempted(terms, activation):
            return False
        if not isinstance(verdict, CelError):
            return True
        if verdict.kind != "unbound":
            return verdict.reason
        if verdict.name not in BODY_ROOTS:
            return f"{verdict.name} is known to the cluster alone"
        if not terms.tried:
            return False
        return f"{verdict.name} is not in an event of level {terms.event.level or 'unknown'}"

    def _is_exempted(self, terms: Terms, activation: Activation) -> bool:
        for exempted in self.rule.exceptions:
            if exempted.until is not None and terms.event.stageTimestamp >= exempted.until:
                continue
            if exempted.match is not None and not exempted.match(terms.key):
                continue
            if exempted.when is None or exempted.when.evaluate(activation) is True:
                return True
        return False


class Asker:
    """Asks several rules of one event."""

    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self._plans: dict[tuple[Asked, ...], Plan] = {}

    def ask(
        self, candidates: tuple[Asked, ...], terms: Terms, *, line: int, report: Report
    ) -> None:
        """Ask each of the candidates whose filter the event passes; the others do not match."""
        try:
            asked = [one for one in candidates if one.is_left(terms)]
            if not asked:
                return
            activation = self._activation(asked, terms)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the daemon
            for one in candidates:
                _failed(one, error, terms, line=line, report=report)
            return
        for one in asked:
            try:
                verdict = one.verdict(terms, activation)
                if verdict is True:
                    one.teller.tell(terms, line=line, report=report)
                elif verdict:
                    report.indeterminate(one.rule, terms.event, line=line, reason=verdict)
            except Exception as error:  # noqa: BLE001 - one rule's fault must not end the others
                _failed(one, error, terms, line=line, report=report)

    def _activation(self, asked: Sequence[Asked], terms: Terms) -> Activation:
        alike = tuple(one for one in asked if one.programs)
        if not alike:
            return None
        plan = self._plans.get(alike)
        if plan is None:
            plan = self._binder.plan(program for one in alike for program in one.programs)
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            self._plans[alike] = plan
        return self._binder.bound(plan, terms)


def _failed(one: Asked, error: Exception, terms: Terms, *, line: int, report: Report) -> None:
    reason = f"the rule failed: {type(error).__name__}"
    report.indeterminate(one.rule, terms.event, line=line, reason=reason)
