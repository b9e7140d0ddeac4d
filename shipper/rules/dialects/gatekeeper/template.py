"""A ConstraintTemplate: its expressions, checked; or that it has none that are evaluated here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from shipper.rules.cel import Environment, Part
from shipper.rules.conform import conform
from shipper.rules.dialects.expressions import Checker, Expressions, Text
from shipper.rules.dialects.gatekeeper.spec import ENGINE, CelSource, Target
from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.document import Path, Problem
from shipper.rules.fields import without_nulls

ANY_OBJECT = (
    'has(request.operation) && request.operation == "DELETE" && object == null ? oldObject : object'
)
"""variables.anyObject, as Gatekeeper binds it (pkg/drivers/k8scel/transform)."""

PARAMS = "variables.params"


class Template(NamedTuple):
    """`kind` is that of its constraints. `expressions` None: it is written in Rego alone."""

    ident: Ident
    source: Source
    kind: str
    operations: Sequence[str]
    expressions: Expressions | None


class Reader:
    """Of one template. `problems` has every mistake, also after `template`."""

    def __init__(self, environment: Environment, ident: Ident, source: Source) -> None:
        self._checker = Checker(environment, ident, source)
        self._ident = ident
        self._source = source

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the template."""
        return self._checker.problems

    def template(self) -> Template | None:
        """None: there are problems."""
        kind, target = constraint_kind(self._source), self._target()
        if not kind:
            self._checker.problem(("spec", "crd", "spec", "names"), "kind is missing")
        if target is None or not kind:
            return None
        expressions = None
        for at, code in enumerate(target.code):
            if code.engine == ENGINE:
                path = ("spec", "targets", 0, "code", at, "source")
                expressions = self._expressions(path, code.source)
                break
        else:
            if not target.rego and not target.code:
                self._checker.problem(("spec", "targets"), "has neither code nor rego")
        if self.problems:
            return None
        return Template(self._ident, self._source, kind, target.operations, expressions)

    def _target(self) -> Target | None:
        path: Path = ("spec", "targets")
        targets = _at(without_nulls(self._source.value), "spec", "targets")
        if not isinstance(targets, list) or len(targets) != 1:
            self._checker.problem(path, "must be one target")
            return None
        try:
            return msgspec.convert(targets[0], Target)
        except msgspec.ValidationError as error:
            self._checker.problem((*path, 0), str(error))
            return None

    def _expressions(self, path: Path, source: Any) -> Expressions | None:
        written, mistakes = conform(source, CelSource)
        for where, reason, _ in mistakes:
            self._checker.problem((*path, *where), reason)
        if written is None:
            return None
        self._checker.variable("anyObject", Text(ANY_OBJECT, path))
        self._checker.variable("params", Text("null", path))
        for at, variable in enumerate(written.variables):
            where = (*path, "variables", at, "expression")
            self._checker.variable(variable.name, Text(variable.expression, where))
        conditions = [
            self._checker.condition(
                one.name, Text(one.expression, (*path, "matchCondition", at, "expression"))
            )
            for at, one in enumerate(written.match_condition)
        ]
        validations = [
            self._checker.validation(
                f"validations[{at}]",
                Text(one.expression, (*path, "validations", at, "expression")),
                message=one.message,
                message_text=Text(
                    one.message_expression, (*path, "validations", at, "messageExpression")
                ),
            )
            for at, one in enumerate(written.validations)
        ]
        return Expressions(
            variables=self._checker.variables,
            conditions=[one for one in conditions if one],
            validations=[one for one in validations if one],
            annotations=(),
            ignores_errors=written.failure_policy == "Ignore",
        )


def constraint_kind(source: Source) -> str:
    """The kind of the template's constraints; empty if it says none."""
    kind = _at(source.value, "spec", "crd", "spec", "names", "kind")
    return kind if isinstance(kind, str) else ""


def with_parameters(expressions: Expressions, parameters: Part) -> dict[str, Part]:
    """The variables, with a constraint's parameters for `variables.params`."""
    return {**expressions.variables, PARAMS: parameters}


def _at(value: Any, *path: str) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
