"""Asks the admission policies of one set about accepted writes, as if each had denied all along.

Whatever a policy is written to do to a failure, and whenever it was made, a failure here is a
request that it would have denied. Exemptions are honoured.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial

from shipper.backtest.change import change
from shipper.backtest.chronicle import Noted
from shipper.backtest.hearing import Hearing, workload_in
from shipper.backtest.tally import REASONS, Cost, Hit, RuleTally, Subject, Tally, count
from shipper.model import Finding, Guardrail
from shipper.rules import fields
from shipper.rules import finding as findings
from shipper.rules.dialects.policies import MAX_TARGETS, PolicySet, asked
from shipper.rules.dialects.policy import Policy, Verdict
from shipper.rules.dialects.review import Review
from shipper.rules.event import Event
from shipper.rules.guardrails.replay import Replay
from shipper.rules.guardrails.reviews import accepted, review_of, target_of
from shipper.rules.message import MAX_MESSAGE
from shipper.rules.ruleset import RuleSet
from shipper.rules.terms import Terms
from shipper.text import harmless


class Asking:
    """The policies of one set, and the tally that their verdicts go to.

    Where the history keeps them current, they are asked about the writes of their own time alone:
    as its one log goes on, or by its `chronicle`, if several logs have one.
    """

    def __init__(
        self, rules: RuleSet, tally: Tally, chronicle: Sequence[Noted] | None = None
    ) -> None:
        self._rules = rules
        self._tally = tally
        self._chronicle = chronicle
        self._log: str | None = None
        self._start()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to ask, now and later."""
        return self._replay is None and not self._policies.policies

    def enter(self, log: str) -> None:
        """What is asked from now on is this log's: with a chronicle, time begins anew."""
        if self._chronicle is not None and log != self._log:
            self._start()
        self._log = log

    def _start(self) -> None:
        policies, replayed_by = self._rules.policies, self._rules.guarded.replayed_by
        self._replay = Replay(policies, replayed_by) if replayed_by else None
        self._told = 0
        self._begin(policies)

    def _begin(self, policies: PolicySet) -> None:
        self._policies = policies
        self._concerned: dict[tuple[object, ...], Sequence[Policy]] = {}
        """By what `target_of` looks at: one look into a dict for most writes."""
        self._costs: dict[Policy, Cost] = {}
        self._tallies: dict[tuple[Policy, str], RuleTally] = {}

    def ask(self, terms: Terms, *, line: int, to: Hearing) -> None:
        """Ask what an accepted write concerns; what would have been denied is told `to`."""
        if self._replay is not None and self._chronicle is not None:
            self._catch_up(self._replay, self._chronicle, terms.event.stageTimestamp)
        ref = terms.ref
        alike = (
            terms.event.verb, terms.status.code == 201,
            ref.apiGroup, ref.apiVersion, ref.resource, ref.subresource,
        )  # fmt: skip
        policies = self._concerned.get(alike)
        if policies is None:
            if len(self._concerned) >= MAX_TARGETS:
                self._concerned.clear()
            policies = self._concerned[alike] = self._policies.concerned(target_of(terms))
        if policies and accepted(terms):
            self._ask(policies, terms, line=line, to=to)
        if self._replay is not None and self._chronicle is None:
            self._follow(self._replay, terms)

    def _catch_up(self, replay: Replay, chronicle: Sequence[Noted], now: datetime) -> None:
        """Follow what happened before `now`, whichever API server it went through."""
        while self._told < len(chronicle) and chronicle[self._told].time < now:
            self._follow(replay, chronicle[self._told].terms)
            self._told += 1

    def _follow(self, replay: Replay, terms: Terms) -> None:
        if not replay.may_concern(terms):
            return
        for doubt in replay.follow(terms):
            count(self._tally.doubts, harmless(doubt, MAX_MESSAGE), REASONS)
        if replay.policies is not self._policies:
            self._begin(replay.policies)

    def _ask(self, policies: Sequence[Policy], terms: Terms, *, line: int, to: Hearing) -> None:
        namespace = self._replay.namespace if self._replay else self._policies.namespace
        review = review_of(terms, namespace)
        for policy in policies:
            began = time.thread_time_ns()
            verdicts = asked(policy, review)
            self._spend(policy, time.thread_time_ns() - began)
            for verdict in verdicts:
                self._count(policy, verdict, review, terms, line=line, to=to)

    def _count(
        self,
        policy: Policy,
        verdict: Verdict,
        review: Review,
        terms: Terms,
        *,
        line: int,
        to: Hearing,
    ) -> None:
        tally = self._tallied(policy, verdict)
        tally.spoken += 1
        if verdict.exempt:
            tally.excuse(harmless(verdict.exempt, MAX_MESSAGE))
        elif verdict.outcome == "fail":
            to.deny(_hit(policy, verdict, review, terms.event, line))
        elif verdict.outcome == "indeterminate":
            tally.undecide(harmless(verdict.message, MAX_MESSAGE))
            to.said.undecided.add(line)

    def _spend(self, policy: Policy, nanoseconds: int) -> None:
        cost = self._costs.get(policy)
        if cost is None:
            cost = self._costs[policy] = self._tally.cost(str(policy.ident))
        cost.add(nanoseconds)

    def _tallied(self, policy: Policy, verdict: Verdict) -> RuleTally:
        tally = self._tallies.get((policy, verdict.rule))
        if tally is None:
            tally = self._tally.of(_subject(policy, verdict), action=verdict.action)
            self._tallies[policy, verdict.rule] = tally
        return tally


def _subject(policy: Policy, verdict: Verdict) -> Subject:
    _, kind, namespace, name = policy.ident
    return Subject(kind, namespace, name, verdict.rule)


def _hit(policy: Policy, verdict: Verdict, review: Review, event: Event, line: int) -> Hit:
    _, kind, namespace, name = policy.ident
    found = Finding(
        rule=name,
        title=f"{policy.ident} would have denied this",
        severity="high",
        message=harmless(verdict.message or "the policy says no more", MAX_MESSAGE),
        audit_id=harmless(event.auditID, MAX_MESSAGE),
        line=line,
        time=fields.timestamp(event),
        who=findings.who(event),
        what=findings.what(event),
        where=findings.where(event),
        guardrail=Guardrail(
            kind=kind, namespace=namespace, name=name, rule=verdict.rule, action=verdict.action
        ),
    )
    changed = cache(partial(change, policy, verdict, review))
    return Hit(_subject(policy, verdict), found, workload_in(event), changed)
