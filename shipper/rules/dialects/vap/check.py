"""A ValidatingAdmissionPolicy's expressions, checked; what of them no log can answer."""

from __future__ import annotations

from collections.abc import Iterator

from shipper.rules.cel import Environment
from shipper.rules.cel.paths import paths
from shipper.rules.dialects.expressions import (
    Annotation,
    Checker,
    Expressions,
    Text,
    Validation,
)
from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.dialects.vap.spec import PolicySpec
from shipper.rules.document import Problem

_NEVER_KNOWN = {
    "authorizer": "the authorizer",
    "request.options": "request.options",
    "oldObject": "oldObject, which no log has of an update",
}


def checked(
    environment: Environment, ident: Ident, source: Source, spec: PolicySpec
) -> tuple[Expressions, list[Problem]]:
    """Every expression of the policy that can be asked, and what is wrong with the others."""
    checker = Checker(environment, ident, source)
    for at, variable in enumerate(spec.variables):
        checker.variable(
            variable.name, Text(variable.expression, ("spec", "variables", at, "expression"))
        )
    conditions = [
        checker.condition(
            one.name, Text(one.expression, ("spec", "matchConditions", at, "expression"))
        )
        for at, one in enumerate(spec.match_conditions)
    ]
    validations = [_validation(checker, spec, at) for at in range(len(spec.validations))]
    annotations = [
        (one.key, checker.part(Text(one.value_expression, path)))
        for at, one in enumerate(spec.audit_annotations)
        for path in [("spec", "auditAnnotations", at, "valueExpression")]
    ]
    expressions = Expressions(
        variables=checker.variables,
        conditions=[one for one in conditions if one],
        validations=[one for one in validations if one],
        annotations=[Annotation(key, part) for key, part in annotations if part],
        ignores_errors=spec.failure_policy == "Ignore",
        nodes=checker.nodes,
    )
    for reason in _unsupported(expressions, spec):
        checker.problem(("spec",), reason)
    return expressions, checker.problems


def _validation(checker: Checker, spec: PolicySpec, at: int) -> Validation | None:
    written, path = spec.validations[at], ("spec", "validations", at)
    return checker.validation(
        f"validations[{at}]",
        Text(written.expression, (*path, "expression")),
        message=written.message,
        message_text=Text(written.message_expression, (*path, "messageExpression")),
    )


def _unsupported(expressions: Expressions, spec: PolicySpec) -> Iterator[str]:
    for name, part in expressions.parts:
        if "params" in part.free and spec.param_kind is None:
            yield f"{name}: speaks of params, and there is no paramKind"
        if ("request",) in paths(part.tree):
            yield f"{name}: request as a whole can not be asked; name its fields"


def unanswerable(expressions: Expressions) -> list[str]:
    """What of it needs the cluster, each with the expression that does."""
    return [
        f"{name}: {what}"
        for name, part in expressions.parts
        for root, what in _NEVER_KNOWN.items()
        if any(free == root or free.startswith(f"{root}.") for free in part.free)
    ]
