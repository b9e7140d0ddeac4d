"""Expressions of Kyverno's policies, checked; what of them can not be answered offline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shipper.rules.cel import Environment, constant
from shipper.rules.cel.environment import VARIABLES
from shipper.rules.cel.library.kyverno import JSON, NOT_KNOWN
from shipper.rules.dialects.expressions import Annotation, Checker, Expressions, Text
from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.dialects.validator import Decision, Judged
from shipper.rules.dialects.vap.spec import (
    AuditAnnotation,
    MatchCondition,
    Validation,
    Variable,
)
from shipper.rules.document import Path, Problem

EXCEPTIONS = "exceptions"
ALWAYS = {"json": constant(f"{JSON}:")}
"""Variables that are the same for every request."""

_NEVER_KNOWN = {
    "authorizer": "the authorizer",
    "request.options": "request.options",
    "oldObject": "oldObject, which no log has of an update",
    "resource": "other objects of the cluster",
    "image": "an image registry",
    "http": "another service",
    "globalContext": "Kyverno's global context",
}


def environment() -> Environment:
    """What expressions of Kyverno's policies may speak of."""
    return Environment((*VARIABLES, "variables", EXCEPTIONS), kyverno=True)


class Written:
    """The expressions of one policy or rule, and where each list of them stands."""

    def __init__(
        self,
        *,
        variables: Sequence[Variable],
        conditions: Sequence[MatchCondition],
        validations: Sequence[Validation],
        annotations: Sequence[AuditAnnotation],
        paths: Mapping[str, Path],
        message: str = "",
        ignores_errors: bool = False,
    ) -> None:
        self.variables = variables
        self.conditions = conditions
        self.validations = validations
        self.annotations = annotations
        self.paths = paths
        self.message = message
        self.ignores_errors = ignores_errors


def checked(
    environment: Environment, ident: Ident, source: Source, written: Written
) -> tuple[Expressions, list[Problem]]:
    """Every expression that can be asked, and what is wrong with the others."""
    checker = Checker(environment, ident, source)
    for at, one in enumerate(written.variables):
        checker.variable(
            one.name, Text(one.expression, (*written.paths["variables"], at, "expression"))
        )
    conditions = [
        checker.condition(
            one.name, Text(one.expression, (*written.paths["conditions"], at, "expression"))
        )
        for at, one in enumerate(written.conditions)
    ]
    validations = []
    for at, validation in enumerate(written.validations):
        path = (*written.paths["validations"], at)
        validations.append(
            checker.validation(
                f"validations[{at}]",
                Text(validation.expression, (*path, "expression")),
                message=validation.message or written.message,
                message_text=Text(validation.message_expression, (*path, "messageExpression")),
            )
        )
    annotations = []
    for at, annotation in enumerate(written.annotations):
        path = (*written.paths["annotations"], at, "valueExpression")
        made = checker.part(Text(annotation.value_expression, path))
        annotations += [Annotation(annotation.key, made)] if made else []
    found = Expressions(
        variables=checker.variables,
        conditions=[one for one in conditions if one],
        validations=[one for one in validations if one],
        annotations=annotations,
        ignores_errors=written.ignores_errors,
        nodes=checker.nodes,
    )
    return found, checker.problems


def unanswerable(expressions: Expressions) -> Iterator[str]:
    """What of them needs what is not here, each with the expression that does."""
    for name, part in expressions.parts:
        for root, what in _NEVER_KNOWN.items():
            if any(free == root or free.startswith(f"{root}.") for free in part.free):
                yield f"{name} needs {what}"
        if "time.now(" in part.text or "random(" in part.text:
            yield f"{name} needs the clock, or chance"


def decided(judged: Judged) -> list[Decision]:
    """What is decided; an error that only says what is not known here decides nothing."""
    return [
        decision._replace(outcome="indeterminate") if NOT_KNOWN in decision.message else decision
        for decision in judged.decisions
    ]
