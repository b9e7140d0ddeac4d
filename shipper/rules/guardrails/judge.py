"""Asks the policies in force about every write that was accepted.

Never raises on an event; a policy's own failure is indeterminate. Costs nothing for events that no
policy speaks of: whether one does is remembered for all that are alike.
"""

from __future__ import annotations

from typing import Any

from msgspec import structs

from shipper.rules.bind import Binder
from shipper.rules.dialects.policies import PolicySet, asked
from shipper.rules.dialects.policy import Policy, Verdict
from shipper.rules.dialects.review import Operation, Review, Target
from shipper.rules.guardrails.past import Case, Past
from shipper.rules.guardrails.replay import Replay
from shipper.rules.guardrails.reviews import accepted, review_of, target_of
from shipper.rules.guardrails.ways import Changes, Way, Ways
from shipper.rules.report import Report
from shipper.rules.ruleset import Guarded
from shipper.rules.terms import Terms

_WHOLE = frozenset(("pods/ephemeralcontainers", "pods/resize"))
"""Subresources through which the object itself is changed, and that few policies name."""

_OPERATIONS: tuple[Operation, ...] = ("UPDATE", "CREATE")

_NO_CHANGES: Changes = {}

MAX_TOLD = 100
"""Policies of which one write is told; who has more that say no has no use for each."""

_Said = tuple[Policy, Verdict, bool]
"""With whether the policy does not name the way in which the object was changed."""


class Guardrails:
    """The policies of one rule set at work. For one thread at a time."""

    def __init__(self, guarded: Guarded, binder: Binder) -> None:
        self._fixed = guarded.policies
        self._past = Past(guarded.bypass, binder) if guarded.bypass else None
        self._ways = Ways(guarded.policies.objects)
        self.replay: Replay | None = None
        """What keeps the policies current, where the log does."""
        if self._past and guarded.replayed_by:
            self.replay = Replay(guarded.policies, guarded.replayed_by)

    @property
    def are_idle(self) -> bool:
        """Whether there is nothing to ask, now and later."""
        return self._past is None or not (self._fixed.policies or self.replay)

    @property
    def policies(self) -> PolicySet:
        """Those in force at this point of the log."""
        return self.replay.policies if self.replay else self._fixed

    def may_concern(self, terms: Terms) -> bool:
        """Whether a policy need be asked about this event and all that are alike."""
        if self._past is None or self.are_idle or not accepted(terms):
            return False
        if not self._past.may_concern(terms):
            return False
        if self.replay and self.replay.doubts:
            return True
        target = target_of(terms)
        targets = [target]
        if _is_whole(target):
            targets += [target._replace(operation=one, subresource="") for one in _OPERATIONS]
        return any(map(self.policies.concerned, targets))

    def may_change(self, terms: Terms) -> bool:
        """Whether this event, and all that are alike, may change what is in force."""
        return self.replay is not None and self.replay.may_concern(terms)

    def follow(self, terms: Terms, *, line: int, report: Report) -> bool:
        """Take over what the event changed. Whether other events may be concerned from here on."""
        if self.replay is None or self._past is None:
            return False
        version = self.replay.version
        for reason in self.replay.follow(terms):
            self._past.doubt(Case(terms, line, report), reason)
        return self.replay.version != version

    def judge(self, terms: Terms, *, line: int, report: Report) -> None:
        """Ask the policies about an accepted write, and tell what they say."""
        if self._past is None:
            return
        case = Case(terms, line, report)
        try:
            self._judge(case, self._past)
        except Exception as error:  # noqa: BLE001 - the daemon must go on, and the log be followed
            self._past.doubt(case, f"the policies could not be asked: {type(error).__name__}")

    def _judge(self, case: Case, past: Past) -> None:
        terms = case.terms
        doubts = self.replay.doubts if self.replay else {}
        review = review_of(terms, self._namespace)
        said = self._said(review)
        if not (said or doubts) or past.excepts(terms):
            return
        for reason in doubts.values():
            past.doubt(case, reason)
        for policy, verdict, unnamed in _few(said):
            if verdict.outcome == "indeterminate":
                past.undecided(case, policy, verdict)
                continue
            way = self._way(policy, verdict, terms)
            if unnamed and way.severity is None:
                way = _beside(review.target)
            past.tell(case, policy, verdict, review, way)
        if len(said) > MAX_TOLD:
            past.doubt(case, f"{len(said)} verdicts of policies, of which {MAX_TOLD} are told")

    def _said(self, review: Review) -> list[_Said]:
        """What there is to tell; of policies that do not name this way to change the object, but
        speak of it, what they say no to."""
        named = self.policies.judge(review)
        found: list[_Said] = [(one, verdict, False) for one, verdict in named if _is_told(verdict)]
        spoke = {policy.ident for policy, _ in named}
        for operation in _OPERATIONS if _is_whole(review.target) else ():
            target = review.target._replace(operation=operation, subresource="")
            whole = structs.replace(review, target=target)
            for policy in self.policies.concerned(target):
                verdicts = asked(policy, whole) if policy.ident not in spoke else ()
                spoke |= {policy.ident} if verdicts else set()
                found += [(policy, one, True) for one in verdicts if one.outcome == "fail"]
        return found

    def _way(self, policy: Policy, verdict: Verdict, terms: Terms) -> Way:
        objects = self.policies.objects
        if self._ways.objects is not objects:
            self._ways = Ways(objects)
        changes = self.replay.changes if self.replay else _NO_CHANGES
        return self._ways.likeliest(policy, verdict, terms, changes)

    def _namespace(self, name: str) -> Any:
        return self.replay.namespace(name) if self.replay else self._fixed.namespace(name)


def _few(said: list[_Said]) -> list[_Said]:
    """All of them, or so many that are told, and what is decided before what is not."""
    if len(said) <= MAX_TOLD:
        return said
    return sorted(said, key=lambda one: one[1].outcome == "indeterminate")[:MAX_TOLD]


def _is_told(verdict: Verdict) -> bool:
    return verdict.outcome != "pass" or bool(verdict.exempt)


def _beside(target: Target) -> Way:
    resource = f"{target.resource}/{target.subresource}"
    return Way(f"changed through {resource}, of which the policy does not speak")


def _is_whole(target: Target) -> bool:
    return f"{target.resource}/{target.subresource}" in _WHOLE
