"""One rule of a ClusterPolicy or Policy: what it says of a review.

Source: kyverno pkg/engine/engine.go. What lets an object by that fails is an exemption; what is not
known about selection leaves a failure undecided, and a pass a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from shipper.rules.dialects.kyverno.actions import Actions
from shipper.rules.dialects.kyverno.celrule import CelCheck
from shipper.rules.dialects.kyverno.checks import PASS, SKIP, Check, Result
from shipper.rules.dialects.kyverno.conditions import Conditions
from shipper.rules.dialects.kyverno.context import ConfigMaps, Context
from shipper.rules.dialects.kyverno.errors import EvaluationError, UndecidedError
from shipper.rules.dialects.kyverno.exceptions import PolicyException
from shipper.rules.dialects.kyverno.filters import passed_by
from shipper.rules.dialects.kyverno.podsecurity import PodSecurity
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.selection import NEEDS_ROLES, Filter
from shipper.rules.dialects.kyverno.subject import Subject
from shipper.rules.dialects.kyverno.variables import Document
from shipper.rules.dialects.policy import Outcome, Verdict
from shipper.rules.dialects.review import Identity, Target
from shipper.rules.terms import UNBOUND

MAX_MESSAGE_CHARS = 4096
_SPARED_BEFORE = "it violated the rule before this update, which the rule allows"
_NOT_KNOWN_BEFORE = "whether it violated the rule before this update is not known"
_MAX_TARGETS = 4096
"""Targets for which it is remembered what match and exclude say of them."""
_NOBODY = Identity(username="kyverno:kyverno-invalid-controller")
"""As whom Kyverno asks about the object before an update: no rule about users selects it."""


class _OfTarget(NamedTuple):
    """What a target alone decides: whether match surely holds, whether exclude may."""

    selects: bool
    may_exclude: bool


class Rule:
    """A validating rule. Raises ValueError: it is none."""

    def __init__(
        self,
        written: Mapping[str, Any],
        check: Check,
        *,
        actions: Actions,
        exceptions: Sequence[PolicyException] = (),
        config_maps: ConfigMaps | None = None,
        ignores_errors: bool = False,
    ) -> None:
        """`ignores_errors`: Kyverno lets by what it can not evaluate (failurePolicy Ignore)."""
        validate = written.get("validate")
        words: Mapping[str, Any] = validate if isinstance(validate, Mapping) else {}
        self.name = str(written.get("name", ""))
        self.actions = actions
        self.check = check
        self.exceptions = exceptions
        self.ignores_errors = ignores_errors
        match, exclude = written.get("match"), written.get("exclude")
        if not isinstance(match, Mapping):
            raise ValueError("match is missing")  # noqa: TRY004 - of the policy's text
        self._match = Filter(match)
        self._exclude = Filter(exclude) if isinstance(exclude, Mapping) and exclude else None
        self.context = Context(written.get("context"), *([config_maps] if config_maps else []))
        conditions = written.get("preconditions")
        self._preconditions = Conditions(conditions) if conditions else None
        is_cel = isinstance(check, CelCheck)  # whose expressions have messages of their own
        message = None if is_cel else words.get("message")
        self.has_preconditions = self._preconditions is not None
        self._message = Document(message) if isinstance(message, str) and message else None
        self._allows_existing = words.get("allowExistingViolations") is not False
        self._looks_back = not is_cel
        self._targets: dict[tuple[Target, bool], _OfTarget] = {}

    def may_select(self, target: Target) -> bool:
        """Whether it may speak of reviews with this target."""
        # Preconditions come first, and may fail where the check would say nothing.
        skipped = self.check.skips_deletions and not self.has_preconditions
        return not (skipped and target.operation == "DELETE") and self._match.may_select(target)

    @property
    def documents(self) -> Iterator[Document]:
        """All of it that may have variables, but the message."""
        yield from self.context.documents
        yield from self._preconditions.documents if self._preconditions else ()
        yield from self.check.documents

    @property
    def unanswerable(self) -> Iterator[str]:
        """What of it can not be answered here."""
        if self._match.needs_roles or (self._exclude and self._exclude.needs_roles):
            yield NEEDS_ROLES
        yield from self.context.unanswerable
        yield from self.check.unanswerable

    def judge(self, subject: Subject, question: Question) -> Verdict | None:
        """What it says; None: it does not speak of the review."""
        return _Judging(self, subject).verdict(question)

    def selects(self, subject: Subject) -> bool:
        """Whether its match block does. Raises UndecidedError."""
        return self._match.selects(subject, user=subject.review.identity is not None)

    def excludes(self, subject: Subject) -> bool:
        """Whether its exclude block does. Raises UndecidedError."""
        return self._exclude is not None and self._exclude.selects(subject, user=True)

    def of_target(self, subject: Subject) -> _OfTarget:
        """What needs no look at the object; remembered."""
        user = subject.review.identity is not None
        key = (subject.target, user)
        found = self._targets.get(key)
        if found is None:
            if len(self._targets) >= _MAX_TARGETS:
                self._targets.clear()
            found = self._targets[key] = _OfTarget(
                self._match.surely_selects(subject.target, user=user),
                self._exclude is not None and self._exclude.may_select(subject.target),
            )
        return found

    def applies(self, question: Question) -> bool:
        """Whether its preconditions hold. Raises EvaluationError, UndecidedError."""
        return self._preconditions is None or self._preconditions.hold(question)

    def says(self, question: Question, result: Result) -> str:
        """The policy's words about a failure, else the reason."""
        said: Any = ""
        if self._message is not None:
            try:
                said = self._message.fill(question)
            except (EvaluationError, UndecidedError):
                said = self._message.value
        parts = [part for part in (str(said).strip(), result.message) if part]
        return "; ".join(parts)[:MAX_MESSAGE_CHARS]

    def permits_existing(self, subject: Subject) -> bool:
        """Whether a violation that was there before an update is let by."""
        updating = subject.target.operation == "UPDATE"
        return self._allows_existing and self._looks_back and updating


class _Judging:
    """One rule on one review: what is found on the way."""

    def __init__(self, rule: Rule, subject: Subject) -> None:
        self._rule = rule
        self._subject = subject
        self._unknown = ""
        self._exempt = ""

    def verdict(self, first: Question) -> Verdict | None:
        decided = self._rule.of_target(self._subject)
        if not decided.selects and not self._known(self._selects, otherwise=True):
            return None
        if decided.may_exclude and self._known(self._excludes, otherwise=False):
            self._exempt = "excluded by the rule"
        question = first.fresh() if self._rule.context.has_entries else first
        try:
            result = self._result(question)
        except UndecidedError as error:
            spared = self._exempt or passed_by(self._subject)
            return None if spared else self._said("indeterminate", str(error))
        except EvaluationError as error:
            failed = Result("fail", f"could not be evaluated: {error}")
            result = PASS if self._rule.ignores_errors else failed
        if result.kind == "skip":
            return None
        if result.kind == "pass":
            return None if self._exempt else self._said("pass", "")
        self._exempt = self._exempt or passed_by(self._subject)
        if not self._exempt:
            self._look_back(question)
        if self._unknown and not self._exempt:
            return self._said("indeterminate", self._unknown)
        words = self._rule.says(question, result)
        return self._said("fail", words)._replace(path=result.path)

    def _selects(self) -> bool:
        return self._rule.selects(self._subject)

    def _excludes(self) -> bool:
        return self._rule.excludes(self._subject)

    def _said(self, outcome: Outcome, message: str) -> Verdict:
        return Verdict(
            outcome,
            rule=self._rule.name,
            message=message[:MAX_MESSAGE_CHARS],
            action=self._rule.actions.of(self._subject),
            exempt=self._exempt,
        )

    def _result(self, question: Question) -> Result:
        self._rule.context.enter(question)
        if self._rule.has_preconditions:
            applies = self._known(lambda: self._rule.applies(question), otherwise=True)
            if not applies:
                return SKIP
        by_control = self._spared(question)
        result = self._rule.check.ask(question)
        if by_control and result.kind == "fail" and isinstance(self._rule.check, PodSecurity):
            exclusions = [one for exception in by_control for one in exception.exclusions]
            if self._rule.check.ask(question, exclusions).kind == "pass":
                self._exempt = self._exempt or str(by_control[0].ident)
        return result

    def _spared(self, question: Question) -> list[PolicyException]:
        """Take note of what exceptions spare; those that spare controls alone are returned."""
        by_control: list[PolicyException] = []
        for exception in self._rule.exceptions:
            try:
                spares = exception.spares(self._subject, question)
            except EvaluationError:
                continue
            except UndecidedError as error:
                self._unknown = self._unknown or str(error)
                continue
            if spares and exception.exclusions and isinstance(self._rule.check, PodSecurity):
                by_control.append(exception)
            elif spares:
                self._exempt = self._exempt or str(exception.ident)
        return by_control

    def _look_back(self, question: Question) -> None:
        """Whether the object violated the rule already before this update, which is let by."""
        if not self._rule.permits_existing(self._subject):
            return
        if self._rule.actions.of(self._subject) != "deny":
            return
        review = self._subject.review
        if review.old_object is UNBOUND:
            self._unknown = self._unknown or _NOT_KNOWN_BEFORE
        elif review.old_object is not None and self._failed_before(question):
            self._exempt = _SPARED_BEFORE

    def _failed_before(self, question: Question) -> bool:
        review = msgspec.structs.replace(
            self._subject.review,
            object=self._subject.review.old_object,
            old_object=None,
            target=self._subject.target._replace(operation="CREATE"),
            identity=_NOBODY,
        )
        before = _Judging(self._rule, Subject(review))
        found = before.verdict(Question(before._subject, question.meter))
        return found is not None and found.outcome == "fail" and not found.exempt

    def _known(self, test: Callable[[], bool], *, otherwise: bool) -> bool:
        try:
            return test()
        except UndecidedError as error:
            self._unknown = self._unknown or str(error)
            return otherwise
