"""What a backtest was asked, and what it took: the result's heading. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shipper.backtest.result import Result
from shipper.backtest.tally import AUDIT_RULE, Cost, RuleTally, Subject
from shipper.rules.ruleset import RuleSet
from shipper.verify.request import Window


class Question(NamedTuple):
    """Which rules of which history. `sets` are named by `names`: the one that is tried is the last.

    `verified`: the history is sealed, and what was judged of it had been verified.
    """

    sets: Sequence[RuleSet]
    names: Sequence[str]
    sources: Sequence[str]
    verified: bool
    window: Window
    seconds: float


def found(result: Result) -> list[tuple[Subject, RuleTally]]:
    """What has something to say, the most frequent first; policies before AuditRules."""
    return sorted(
        result.tally.rules.items(),
        key=lambda pair: (pair[0].kind == AUDIT_RULE, -pair[1].matches, pair[0]),
    )


def silent(result: Result, question: Question) -> list[str]:
    """The AuditRules that found nothing, and the policies that spoke of nothing."""
    rules = question.sets[-1]
    spoke = {subject._replace(rule="") for subject in result.tally.rules}
    subjects = [Subject(*policy.ident[1:]) for policy in rules.policies.policies]
    subjects += [Subject(AUDIT_RULE, "", rule.name) for rule in rules.rules]
    return [str(subject) for subject in subjects if subject not in spoke]


def share(part: int, whole: int) -> float:
    """As a fraction; 0 of nothing."""
    return part / whole if whole else 0.0


def policies_cost(result: Result) -> Cost:
    """What asking all policies took, for each event of the history."""
    total = Cost()
    for name, cost in result.tally.costs.items():
        if name != AUDIT_RULE:
            total.nanoseconds += cost.nanoseconds
    total.asked = result.lines
    return total
