"""Asks the rules that an event may concern: filters, binds what is left to ask, evaluates.

A rule that fails, in whatever way, has an indeterminate verdict; the others are asked all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipper.rules.asked import Asked
from shipper.rules.bind import Binder, Plan
from shipper.rules.cel import Activation
from shipper.rules.costs import Costs
from shipper.rules.report import Report
from shipper.rules.terms import Terms

MAX_PLANS = 1024
"""Sets of rules for which it is remembered what they want bound."""


class Asker:
    """Asks several rules of one event."""

    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self._nothing = binder.nothing()
        self._plans: dict[tuple[Asked, ...], Plan] = {}
        self._unmeasured = 0
        self.costs: Costs | None = None
        """To which what each rule takes is added."""

    def ask(self, rules: Sequence[Asked], terms: Terms, *, line: int, report: Report) -> None:
        """Ask each of the rules whose filters the event passes; the others do not match."""
        self._unmeasured -= 1
        if self._unmeasured < 0 and self.costs is not None:
            self._measure(rules, self.costs, terms, line=line, report=report)
            return
        asked = []
        for one in rules:
            try:
                if one.is_left(terms):
                    asked.append(one)
            except Exception as error:  # noqa: BLE001 - one rule's fault must not end the others
                _failed(one, error, terms, line=line, report=report)
        if asked:
            self._decide(asked, terms, line=line, report=report)

    def _measure(
        self, rules: Sequence[Asked], costs: Costs, terms: Terms, *, line: int, report: Report
    ) -> None:
        """The same, one rule after the other, with a look at the clock between them."""
        self._unmeasured = len(rules) + costs.every - 1
        for one in rules:
            began = costs.clock()
            self.ask((one,), terms, line=line, report=report)
            costs.add(one.rule.name, costs.clock() - began)

    def _decide(self, asked: Sequence[Asked], terms: Terms, *, line: int, report: Report) -> None:
        activation = self._activation(asked, terms)
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
        alike = tuple([one for one in asked if one.programs])
        if not alike:
            return self._nothing
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
