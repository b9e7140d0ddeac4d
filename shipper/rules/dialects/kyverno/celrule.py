"""`validate.cel`: a rule written as a ValidatingAdmissionPolicy's expressions.

Source: kyverno pkg/engine/handlers/validation/validate_cel.go. Parameters are objects that stand
beside the policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shipper.rules.cel import CompileError, Environment
from shipper.rules.cel.paths import Path as FieldPath
from shipper.rules.conform import conform
from shipper.rules.dialects.activations import Activations
from shipper.rules.dialects.kyverno.celexpr import ALWAYS, Written, checked, decided, unanswerable
from shipper.rules.dialects.kyverno.celspec import CelRule
from shipper.rules.dialects.kyverno.checks import PASS, SKIP, Result
from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.kyverno.question import Question
from shipper.rules.dialects.kyverno.variables import Document
from shipper.rules.dialects.policy import Ident, Objects, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.dialects.validator import Decision, Validator
from shipper.rules.dialects.vap.params import ParamObjects
from shipper.rules.dialects.vap.spec import MatchCondition, ParamRef
from shipper.rules.document import Path, Problem
from shipper.rules.fields import without_nulls


class Conditions(msgspec.Struct, frozen=True):
    """`celPreconditions`."""

    conditions: tuple[MatchCondition, ...] = ()


class CelCheck:
    """The demand, ready to be asked."""

    skips_deletions = False

    def __init__(
        self,
        validator: Validator,
        activations: Activations,
        *,
        paths: frozenset[FieldPath],
        says: Sequence[str],
        params: tuple[ParamObjects, ParamRef] | None,
    ) -> None:
        self._validator = validator
        self._activations = activations
        self._params = params
        self.paths = paths
        self.unanswerable = says

    @property
    def documents(self) -> Iterator[Document]:
        """None: what looks like a variable is none here."""
        return iter(())

    def ask(self, question: Question) -> Result:
        """What the expressions say. Raises UndecidedError."""
        review = question.subject.review
        if self._params is None:
            return self._of(self._validator, self._activations.of(review))
        objects, ref = self._params
        found = objects.of(ref, review.namespace)
        results = [
            self._of(self._validator, self._activations.of(review, param.value))
            for param in found.params
        ]
        failed = next((one for one in results if one.kind == "fail"), None)
        if failed is None and found.missing:
            raise UndecidedError(found.missing)
        return failed or next(iter(results), SKIP)

    def _of(self, validator: Validator, activation: Any) -> Result:
        judged = validator.judge(activation)
        if judged.meant.choice in ("no", "excluded"):
            return SKIP
        decisions = decided(judged)
        failed = next((one for one in decisions if one.outcome == "fail"), None)
        if judged.meant.choice == "unknown" and (failed or _unknown(decisions)):
            raise UndecidedError(judged.meant.why)
        if failed is not None:
            return Result("fail", failed.message)
        unknown = _unknown(decisions)
        if unknown is not None:
            raise UndecidedError(unknown.message)
        return PASS


def _unknown(decisions: Sequence[Decision]) -> Decision | None:
    return next((one for one in decisions if one.outcome == "indeterminate"), None)


class CelCompiler:
    """Of the rules of one policy."""

    def __init__(
        self,
        environment: Environment,
        activations: Activations,
        ident: Ident,
        source: Source,
        objects: Objects,
    ) -> None:
        self.problems: list[Problem] = []
        self._environment = environment
        self._activations = activations
        self._ident = ident
        self._source = source
        self._objects = objects

    def check(
        self, rule: Mapping[str, Any], _spec: Mapping[str, Any], path: Path
    ) -> CelCheck | None:
        """The demand; None: problems were told."""
        validate = rule["validate"]
        place = (*path, "validate", "cel")
        written = self._read(validate["cel"], CelRule, place)
        conditions = self._read(
            {"conditions": rule.get("celPreconditions") or []}, Conditions, path
        )
        if written is None or conditions is None:
            return None
        expressions, problems = checked(
            self._environment,
            self._ident,
            self._source,
            Written(
                variables=written.variables,
                conditions=conditions.conditions,
                validations=written.expressions,
                annotations=written.audit_annotations,
                paths={
                    "variables": (*place, "variables"),
                    "conditions": (*path, "celPreconditions"),
                    "validations": (*place, "expressions"),
                    "annotations": (*place, "auditAnnotations"),
                },
                message=str(validate.get("message") or ""),
            ),
        )
        if problems:
            self.problems += problems
            return None
        try:
            validator = Validator(self._environment, expressions, ALWAYS)
        except CompileError as error:
            self.problems.append(problem_in(self._ident, self._source, place, error.reason))
            return None
        says = list(unanswerable(expressions))
        params = None
        if written.param_kind is not None and written.param_ref is not None:
            params = ParamObjects(written.param_kind, self._objects), written.param_ref
        return CelCheck(
            validator, self._activations, paths=expressions.paths, says=says, params=params
        )

    def _read(self, value: Any, form: Any, path: Path) -> Any:
        found, mistakes = conform(without_nulls(value), form)
        for place, reason, _ in mistakes:
            self.problems.append(problem_in(self._ident, self._source, (*path, *place), reason))
        return found
