"""Tells of writes that came past a policy: severity by the likely way, exceptions, and how often.

Asks no policy.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import UNSET, UnsetType, structs

from shipper.model import Guardrail, Severity
from shipper.rules.asked import Asked
from shipper.rules.bind import Binder
from shipper.rules.compile import Rule
from shipper.rules.dialects.policy import Policy, Verdict
from shipper.rules.dialects.review import Review
from shipper.rules.guardrails.ways import Way
from shipper.rules.message import MAX_MESSAGE, MAX_VALUE
from shipper.rules.prefilter import NO_FILTER
from shipper.rules.report import Report
from shipper.rules.tell import Teller
from shipper.rules.terms import Terms
from shipper.rules.threshold import Counter
from shipper.text import cut, harmless

QUIET_SECONDS = 3600.0
"""Of event time: what is no failure of the cluster's is told once in so long for each policy, rule,
namespace and user."""


class Case(NamedTuple):
    """The event in line `line`, and where to tell of it."""

    terms: Terms
    line: int
    report: Report


class Past:
    """The built-in rule at work. Keeps what it has told of lately."""

    def __init__(self, rule: Rule, binder: Binder) -> None:
        self._binder = binder
        self._asked = Asked(rule, NO_FILTER, Teller(rule, binder))
        self._plan = binder.plan(self._asked.programs)
        self._quiet = Counter(1, QUIET_SECONDS)
        self._variants: dict[Severity | None, Rule] = {
            None: rule,
            "low": structs.replace(rule, severity="low"),
            "info": structs.replace(rule, severity="info"),
        }

    def may_concern(self, terms: Terms) -> bool:
        """Whether anything would be told of this event and all that are alike."""
        return self._asked.may_concern(terms)

    def excepts(self, terms: Terms) -> bool:
        """Whether the configuration excepts this very event."""
        if not self._asked.rule.exceptions:
            return False
        return self._asked.verdict(terms, self._binder.bound(self._plan, terms)) is not True

    def tell(self, case: Case, policy: Policy, verdict: Verdict, review: Review, way: Way) -> None:
        """The object came past the policy in this way."""
        if way.quiet and not self._is_due(case.terms, policy, verdict, review):
            return
        case.report.match(
            self._variants[way.severity],
            case.terms.event,
            line=case.line,
            message=_message(policy, verdict, review, way),
            guardrail=_guardrail(policy, verdict, way.says),
        )

    def undecided(self, case: Case, policy: Policy, verdict: Verdict) -> None:
        """The policy could not be answered."""
        reason = f"{_named(policy, verdict)}: {harmless(verdict.message, MAX_VALUE)}"
        self.doubt(case, reason, _guardrail(policy, verdict))

    def doubt(self, case: Case, reason: str, guardrail: Guardrail | UnsetType = UNSET) -> None:
        """Something could not be decided, for `reason`."""
        rule, event = self._variants[None], case.terms.event
        case.report.indeterminate(rule, event, line=case.line, reason=reason, guardrail=guardrail)

    def _is_due(self, terms: Terms, policy: Policy, verdict: Verdict, review: Review) -> bool:
        user = review.identity.username if review.identity else ""
        key = (*policy.ident, verdict.rule, verdict.exempt, review.namespace, user)
        return self._quiet.add(key, terms.event.stageTimestamp.timestamp())


def _guardrail(policy: Policy, verdict: Verdict, way: str = "") -> Guardrail:
    return Guardrail(
        kind=harmless(policy.ident.kind, MAX_VALUE),
        namespace=harmless(policy.ident.namespace, MAX_VALUE),
        name=harmless(policy.ident.name, MAX_VALUE),
        rule=harmless(verdict.rule, MAX_VALUE),
        action=verdict.action,
        way=harmless(way, MAX_VALUE),
    )


def _named(policy: Policy, verdict: Verdict) -> str:
    rule = f", rule {harmless(verdict.rule, MAX_VALUE)}" if verdict.rule else ""
    return f"{harmless(str(policy.ident), MAX_VALUE)}{rule}"


def _message(policy: Policy, verdict: Verdict, review: Review, way: Way) -> str:
    """Policy, rule, object, user, likely way; the policy's own words."""
    place = "/".join(part for part in (review.namespace, review.name) if part)
    target = review.target
    resource = f"{target.resource}/{target.subresource}" if target.subresource else target.resource
    user = review.identity.username if review.identity else ""
    what = harmless(f"{target.kind or resource} {place}".rstrip(), MAX_VALUE)
    words = f": {harmless(verdict.message, MAX_VALUE)}" if verdict.message else ""
    text = (
        f"{harmless(user, MAX_VALUE)}'s {target.operation} of {what} came past"
        f" {_named(policy, verdict)}{words}; likely way: {harmless(way.says, MAX_VALUE)}"
    )
    return cut(text, MAX_MESSAGE)
