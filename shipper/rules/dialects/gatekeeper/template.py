"""A ConstraintTemplate: its expressions, checked; or that it has none that are evaluated here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from shipper.rules.cel import Environment, Part
from shipper.rules.conform import conform
from shipper.rules.dialects.expressions import Checker, Expressions, Text
from shipper.rules.dialects.gatekeeper.equivalents import equivalent
from shipper.rules.dialects.gatekeeper.spec import ENGINE, CelSource, RegoSource, Target
from shipper.rules.dialects.policy import Ident, Source
from shipper.rules.document import Path, Problem
from shipper.rules.fields import without_nulls

T = TypeVar("T")

ANY_OBJECT = (
    'has(request.operation) && request.operation == "DELETE" && object == null ? oldObject : object'
)
"""variables.anyObject, as Gatekeeper binds it (pkg/drivers/k8scel/transform)."""

PARAMS = "variables.params"


class Template(NamedTuple):
    """`kind` is that of its constraints. `expressions` None: it is written in Rego alone.

    `is_ours`: so it is, but it is the library's, and the expressions are ours that stand for it.
    """

    ident: Ident
    source: Source
    kind: str
    operations: Sequence[str]
    expressions: Expressions | None
    is_ours: bool = False


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
        kind = constraint_kind(self._source)
        target = self._target(self._source.value)
        if not kind:
            self._checker.problem(("spec", "crd", "spec", "names"), "kind is missing")
        if target is None or not kind:
            return None
        ours = None
        expressions = self._of_engine(target)
        if expressions is None and not self.problems:
            ours = self._ours(target)
            expressions = self._of_engine(ours) if ours else None
        if self.problems:
            return None
        return Template(
            self._ident, self._source, kind, target.operations, expressions, ours is not None
        )

    def _of_engine(self, target: Target) -> Expressions | None:
        for at, code in enumerate(target.code):
            if code.engine == ENGINE:
                return self._expressions(("spec", "targets", 0, "code", at, "source"), code.source)
        return None

    def _ours(self, target: Target) -> Target | None:
        """What stands for the template's Rego, if it is known."""
        written = RegoSource(target.rego, target.libs)
        for at, code in enumerate(target.code):
            if code.engine == "Rego" and not written.rego:
                path = ("spec", "targets", 0, "code", at, "source")
                found = self._converted(path, code.source, RegoSource)
                if found is None:
                    return None
                written = found
        if not written.rego:
            self._checker.problem(("spec", "targets", 0), "has neither CEL nor Rego")
            return None
        ours = equivalent(self._ident.name, written.rego, written.libs)
        return self._target(ours) if ours else None

    def _target(self, template: Mapping[str, Any]) -> Target | None:
        path: Path = ("spec", "targets")
        targets = _at(without_nulls(template), "spec", "targets")
        if isinstance(targets, list) and len(targets) == 1:
            return self._converted((*path, 0), targets[0], Target)
        self._checker.problem(path, "must be one target")
        return None

    def _converted(self, path: Path, value: Any, form: type[T]) -> T | None:
        try:
            return msgspec.convert(value, form)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            self._checker.problem(path, str(error))
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
            nodes=self._checker.nodes,
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
