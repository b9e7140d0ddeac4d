"""Asks the rules that an event may concern: binds what they want, evaluates, tells.

A rule that fails, in whatever way, has an indeterminate verdict; the others are asked all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shipper.rules.cel import Activation, CelError, Program
from shipper.rules.compile import Rule, Window
from shipper.rules.event import Event
from shipper.rules.fields import Wanted, prune
from shipper.rules.match import Key
from shipper.rules.maybe import Test
from shipper.rules.message import MAX_MESSAGE, MAX_VALUE, UNKNOWN, cut, harmless
from shipper.rules.needs import BODY_ROOTS
from shipper.rules.report import Report
from shipper.rules.ruleset import RuleSet
from shipper.rules.terms import Terms, wanted
from shipper.rules.threshold import Counter

MAX_PLANS = 1024
"""Sets of rules for which it is remembered what they want bound."""

MAX_KEY = 256
"""Characters of one part of a threshold's key."""


Candidates = tuple[tuple[Rule, Test | None], ...]
"""Rules whose match block an event has passed, each with what else it demands of the event."""


class _Plan(NamedTuple):
    """What expressions that are asked together want bound; parameters are the same each time."""

    wanted: Wanted
    params: object


class Asker:
    """The rules of one set, their parameters, and what their thresholds have counted."""

    def __init__(self, rules: RuleSet) -> None:
        self._environment = rules.environment
        self._params = rules.params
        self._deciding: dict[tuple[Rule, ...], _Plan] = {}
        self._telling = {rule: self._plan(_telling(rule)) for rule in rules.rules}
        self._counters = {
            rule: Counter(rule.window.least, rule.window.seconds)
            for rule in rules.rules
            if rule.window is not None
        }

    def ask(self, candidates: Candidates, event: Event, *, line: int, report: Report) -> None:
        """Ask each of the candidates whose filter the event passes."""
        terms = Terms(event)
        rules = tuple(rule for rule, test in candidates if test is None or test(terms))
        if not rules:
            return
        activation = self._bound(self._deciding_plan(rules), terms)
        for rule in rules:
            try:
                verdict = _verdict(rule, terms, activation)
                if verdict is True:
                    self._tell(rule, terms, line=line, report=report)
                elif verdict:
                    report.indeterminate(rule, event, line=line, reason=verdict)
            except Exception as error:  # noqa: BLE001 - one rule's fault must not end the others
                reason = f"the rule failed: {type(error).__name__}"
                report.indeterminate(rule, event, line=line, reason=reason)

    def _tell(self, rule: Rule, terms: Terms, *, line: int, report: Report) -> None:
        plan = self._telling[rule]
        activation = self._bound(plan, terms) if plan.wanted else None
        suffix = ""
        if rule.window is not None:
            values = [_text(program, activation, "") for _, program in rule.window.by]
            key = tuple(cut(value, MAX_KEY) for value in values)
            if not self._counters[rule].add(key, terms.event.stageTimestamp.timestamp()):
                return
            suffix = _counted(rule.window, key)
        parts = [
            part if isinstance(part, str) else _text(part, activation, UNKNOWN)
            for part in rule.message
        ]
        message = cut("".join(parts), MAX_MESSAGE) + suffix
        report.match(rule, terms.event, line=line, message=message)

    def _deciding_plan(self, rules: tuple[Rule, ...]) -> _Plan:
        plan = self._deciding.get(rules)
        if plan is None:
            plan = self._plan(program for rule in rules for program in rule.programs)
            if len(self._deciding) >= MAX_PLANS:
                self._deciding.clear()
            self._deciding[rules] = plan
        return plan

    def _plan(self, programs: Iterable[Program]) -> _Plan:
        below = dict(wanted(path for program in programs for path in program.paths))
        params = prune(self._params, below.pop("params")) if "params" in below else None
        return _Plan(below, params)

    def _bound(self, plan: _Plan, terms: Terms) -> Activation:
        variables = terms.bind(plan.wanted)
        if plan.params is not None:
            variables["params"] = plan.params
        return self._environment.activation(variables)


def _verdict(rule: Rule, terms: Terms, activation: Activation) -> bool | str:
    """Whether the rule matches, or why that can not be said."""
    verdict = rule.when.evaluate(activation) if rule.when else True
    if verdict is False or _is_exempted(rule, terms, activation):
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


def is_exempted_for_good(rule: Rule, key: Key) -> bool:
    """Whether every event with this key is exempted."""
    return any(
        exempted.match is not None and exempted.match(key)
        for exempted in rule.exceptions
        if exempted.when is None and exempted.until is None
    )


def _is_exempted(rule: Rule, terms: Terms, activation: Activation) -> bool:
    for exempted in rule.exceptions:
        if exempted.until is not None and terms.event.stageTimestamp >= exempted.until:
            continue
        if exempted.match is not None and not exempted.match(terms.key):
            continue
        if exempted.when is None or exempted.when.evaluate(activation) is True:
            return True
    return False


def _telling(rule: Rule) -> list[Program]:
    """All that is asked once the rule has matched."""
    by = rule.window.by if rule.window else ()
    return [part for part in rule.message if not isinstance(part, str)] + [p for _, p in by]


def _text(program: Program, activation: Activation, unknown: str) -> str:
    value = program.evaluate(activation)
    return unknown if isinstance(value, CelError) else harmless(str(value), MAX_VALUE)


def _counted(window: Window, key: tuple[str, ...]) -> str:
    pairs = [f"{text}={value}" for (text, _), value in zip(window.by, key, strict=True)]
    by = f" by {', '.join(pairs)}" if pairs else ""
    if window.least == 1:
        return f" (told once within {window.within}{by})"
    return f" ({window.least} or more within {window.within}{by})"
