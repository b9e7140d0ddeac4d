"""Makes one policy of a constraint and its template, or says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shipper.rules.cel import CompileError, Environment, constant
from shipper.rules.cel.paths import Path
from shipper.rules.conform import conform
from shipper.rules.dialects.expressions import Expressions
from shipper.rules.dialects.gatekeeper.match import Matcher
from shipper.rules.dialects.gatekeeper.policy import OURS, REGO, Made
from shipper.rules.dialects.gatekeeper.spec import ConstraintSpec
from shipper.rules.dialects.gatekeeper.template import ANY_OBJECT, Template, with_parameters
from shipper.rules.dialects.policy import Action, Ident, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.dialects.selectors import SelectorError
from shipper.rules.dialects.validator import Validator
from shipper.rules.dialects.vap.check import unanswerable
from shipper.rules.document import Problem
from shipper.rules.fields import without_nulls

_ACTIONS: Mapping[str, Action] = {"deny": "deny", "warn": "warn", "dryrun": "audit"}
"""The strictest first."""

_ADMISSION = frozenset(("*", "validation.gatekeeper.sh", "vap.k8s.io"))
"""The points at which a request is refused: Gatekeeper's webhook, and the policy it generates."""

_ANY_OBJECT = ("variables", "anyObject")
_OF_ANY_OBJECT: frozenset[Path] = frozenset(
    (("request", "operation"), ("object", "kind"), ("oldObject", "kind"))
)
"""What its own expression needs: of the objects only that they are there."""

_PARAMETER_BYTES = 16 * 1024
"""Larger parameters, as JSON, are not made a part of every expression that speaks of them."""


def made(
    environment: Environment,
    template: Template,
    constraint: tuple[Ident, Source],
    exempt: Sequence[str],
) -> Made | Problem:
    """The constraint's policy; `exempt` are the namespaces that no constraint means."""
    ident, source = constraint
    spec, mistakes = conform(without_nulls(source.value.get("spec") or {}), ConstraintSpec)
    if spec is None:
        path, reason, _ = mistakes[0]
        return problem_in(ident, source, ("spec", *path), reason)
    try:
        matcher = Matcher(spec.match, template.operations, exempt)
    except SelectorError as error:
        return problem_in(ident, source, ("spec", "match"), f"a selector: {error}")
    ready = Made(
        ident,
        source,
        parts=(ident, template.ident),
        action=_action(spec),
        matcher=matcher,
        unanswerable=(REGO,),
        validator=None,
        parameters=None,
        paths=frozenset(),
    )
    if template.expressions is None:
        return ready
    try:
        parameters = {} if template.is_ours and spec.parameters is None else spec.parameters
        validator, bound = _joined(environment, template.expressions, parameters)
    except CompileError as error:  # of expressions that are too much only together
        return problem_in(template.ident, template.source, ("spec", "targets", 0), error.reason)
    return ready._replace(
        unanswerable=[*([OURS] if template.is_ours else []), *_unanswerable(template.expressions)],
        validator=validator,
        parameters=bound,
        paths=_paths(template.expressions),
    )


def _paths(expressions: Expressions) -> frozenset[Path]:
    """All that is spoken of: through `variables.anyObject` no more than is asked of it."""
    if expressions.variables[".".join(_ANY_OBJECT)].text != ANY_OBJECT:
        return expressions.paths  # the author has a variable of that name
    found = set(_OF_ANY_OBJECT)
    for path in _without_any_object(expressions).paths:
        is_any = path[:2] == _ANY_OBJECT
        found |= {(root, *path[2:]) for root in ("object", "oldObject")} if is_any else {path}
    return frozenset(found)


def _joined(
    environment: Environment, expressions: Expressions, parameters: Any
) -> tuple[Validator, Any]:
    """The expressions with these parameters in them, or else with what must be bound."""
    try:
        if len(msgspec.json.encode(parameters)) <= _PARAMETER_BYTES:
            variables = with_parameters(expressions, constant(parameters))
            return Validator(environment, expressions._replace(variables=variables), {}), None
    except (CompileError, RecursionError, UnicodeEncodeError):  # nested too deeply; no text
        pass
    variables = with_parameters(expressions, environment.part("params"))
    return Validator(environment, expressions._replace(variables=variables), {}), parameters


def _unanswerable(expressions: Expressions) -> list[str]:
    return unanswerable(_without_any_object(expressions))


def _without_any_object(expressions: Expressions) -> Expressions:
    name = ".".join(_ANY_OBJECT)
    variables = {key: part for key, part in expressions.variables.items() if key != name}
    return expressions._replace(variables=variables)


def _action(spec: ConstraintSpec) -> Action:
    if spec.enforcement_action != "scoped":
        return _ACTIONS[spec.enforcement_action or "deny"]
    taken = {
        scoped.action
        for scoped in spec.scoped_enforcement_actions
        if any(point.name in _ADMISSION for point in scoped.enforcement_points)
    }
    return next((_ACTIONS[name] for name in _ACTIONS if name in taken), "audit")
