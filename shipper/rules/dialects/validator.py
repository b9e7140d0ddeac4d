"""What a policy's expressions say of one review: match conditions, validations, annotations.

As k8s.io/apiserver has it (validating/validator.go, webhook/matchconditions): an error is a failure
under failurePolicy Fail and nothing under Ignore. What is not known here is neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from shipper.rules.cel import (
    Activation,
    CelError,
    CompileError,
    Environment,
    Part,
    Program,
    constant,
)
from shipper.rules.cel.meter import COST_LIMIT
from shipper.rules.cel.program import COST
from shipper.rules.dialects.expressions import Expressions, Validation
from shipper.rules.dialects.meant import NO, YES, Meant, both
from shipper.rules.dialects.policy import Action, Outcome, Verdict

MAX_MESSAGE_BYTES = 5 * 1024
"""A longer message of a messageExpression is not used: k8s.io/apiserver/pkg/apis/cel."""


class Decision(NamedTuple):
    """What one rule says. `strict`: a failure is refused whatever the binding's actions are."""

    rule: str
    outcome: Outcome
    message: str = ""
    strict: bool = False


class Judged(NamedTuple):
    """What all rules say, and whether the match conditions let them be asked at all."""

    meant: Meant
    decisions: Sequence[Decision]


_NOT_MEANT = Judged(NO, ())


class Validator:
    """Expressions joined with `named` (parameters), ready to be asked. Raises CompileError."""

    def __init__(
        self, environment: Environment, written: Expressions, named: Mapping[str, Part]
    ) -> None:
        every = {**named, **written.variables}
        in_conditions = {"namespaceObject": constant(None), **every}  # the API server has none yet

        def program(name: str, part: Part, named: Mapping[str, Part] = every) -> Program:
            try:
                return environment.program(part, named)
            except CompileError as error:
                raise CompileError(1, 1, f"{name}: {error.reason}") from None

        self._ignores_errors = written.ignores_errors
        self._conditions = [
            (one, program(f"matchConditions[{one.name}]", one.main, in_conditions))
            for one in written.conditions
        ]
        self._validations = [
            (
                one,
                Decision(one.rule, "pass"),
                program(one.rule, one.main),
                program(one.rule, one.message_part) if one.message_part else None,
            )
            for one in written.validations
        ]
        self._annotations = [
            (one.key, program(f"auditAnnotations[{one.key}]", one.main))
            for one in written.annotations
        ]

    def judge(self, activation: Activation) -> Judged:
        """What the policy says of the review that is bound."""
        end = activation.steps + COST_LIMIT
        meant, failed = YES, ""
        for condition, program in self._conditions:
            answer = program.evaluate(activation)
            what = f"matchConditions[{condition.name}]"
            if answer is False:
                meant = both(meant, Meant("excluded", what) if condition.excludes else NO)
            elif isinstance(answer, CelError) and answer.kind == "error":
                failed = failed or f"{what}: {answer.reason}"
            elif isinstance(answer, CelError):
                meant = both(meant, Meant("unknown", f"{what}: {answer.reason}"))
            if activation.steps > end:
                return Judged(YES, (Decision("matchConditions", "indeterminate", COST.reason),))
        if meant.choice == "no":
            return _NOT_MEANT
        if failed and meant.choice != "excluded":
            error = Decision("matchConditions", "fail", failed)
            return _NOT_MEANT if self._ignores_errors else Judged(meant, (error,))
        return Judged(meant, tuple(self._decisions(activation, end)))

    def _decisions(self, activation: Activation, end: float) -> Iterator[Decision]:
        for written, passed, program, message in self._validations:
            answer = program.evaluate(activation)
            if answer is True:
                yield passed
            elif answer is False:
                text = _message(written, message, activation)
                yield Decision(written.rule, "fail", text)
            else:
                yield self._of_error(written.rule, answer, written.text)
                if answer is COST:  # as in the API server: then nothing else is asked
                    return
            if activation.steps > end:
                yield Decision("validations", "indeterminate", COST.reason)
                return
        for key, program in self._annotations:
            answer = program.evaluate(activation)
            if isinstance(answer, CelError):
                found = self._of_error(f"auditAnnotations[{key}]", answer, "valueExpression")
                yield found._replace(strict=True)

    def _of_error(self, rule: str, error: CelError, text: str) -> Decision:
        if error.kind != "error":
            return Decision(rule, "indeterminate", error.reason)
        if self._ignores_errors:
            return Decision(rule, "pass")
        return Decision(rule, "fail", f"expression '{text}' resulted in error: {error.reason}")


def _message(written: Validation, program: Program | None, activation: Activation) -> str:
    answer = program.evaluate(activation) if program else None
    said = answer.strip() if isinstance(answer, str) else ""
    if said and "\n" not in said and len(said.encode()) <= MAX_MESSAGE_BYTES:
        return said
    return written.message.strip() or f"failed expression: {written.text.strip()}"


def verdicts(
    judged: Judged, meant: Meant, action: Action, *, prefix: str = ""
) -> Iterator[Verdict]:
    """What has been judged, as far as the review is `meant`; `prefix` stands before each rule.

    Of one that is excluded only what would have failed is said.
    """
    for decision in judged.decisions:
        outcome, message = decision.outcome, decision.message
        if meant.choice == "excluded" and outcome != "fail":
            continue
        if meant.choice == "unknown" and outcome == "fail":
            outcome, message = "indeterminate", meant.why
        exempt = meant.why if meant.choice == "excluded" else ""
        does: Action = "deny" if decision.strict else action
        yield Verdict(outcome, f"{prefix}{decision.rule}", message, does, exempt)
