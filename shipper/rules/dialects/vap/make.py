"""Makes one policy of its object, its bindings and their parameters, or says what is wrong.

Parameters that are the same for every request become constants of the expressions; others are bound
for each request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from shipper.rules.cel import CompileError, Environment, Part, constant
from shipper.rules.conform import conform
from shipper.rules.dialects.expressions import MAX_NODES
from shipper.rules.dialects.policy import Action, Ident, Objects, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.dialects.selectors import SelectorError, selects
from shipper.rules.dialects.validator import Validator
from shipper.rules.dialects.vap.check import checked, unanswerable
from shipper.rules.dialects.vap.constraints import Constraints
from shipper.rules.dialects.vap.params import Param, ParamObjects
from shipper.rules.dialects.vap.policy import Binding, Dynamic, Made
from shipper.rules.dialects.vap.spec import BindingSpec, MatchResources, ParamRef, PolicySpec
from shipper.rules.document import Path, Problem
from shipper.rules.fields import prune, without_nulls
from shipper.rules.terms import wanted

T = TypeVar("T", bound=msgspec.Struct)
Item = tuple[Ident, Source]

_ACTIONS: Mapping[str, Action] = {"Deny": "deny", "Warn": "warn", "Audit": "audit"}
"""The strictest first."""

_PARAM_BYTES = 16 * 1024
"""Larger parameters, as JSON, are not made a part of every expression that speaks of them."""


class Maker:
    """Of one policy. `problems` has every mistake, also after `made`."""

    def __init__(self, environment: Environment, policy: Item) -> None:
        self.problems: list[Problem] = []
        self._environment = environment
        self._policy = policy
        self._askers: dict[Ident | str, Validator | None] = {}

    def made(self, bindings: Sequence[Item], params: Objects) -> Made | None:
        """None: there are problems, or no binding."""
        spec = self._read(self._policy, PolicySpec)
        if spec is None:
            return None
        self._expressions, problems = checked(self._environment, *self._policy, spec)
        self.problems += problems
        constraints = self._constraints(
            self._policy, ("spec", "matchConstraints"), spec.match_constraints
        )
        if not spec.match_constraints.resource_rules:
            self._problem(self._policy, ("spec", "matchConstraints"), "resourceRules is missing")
        if self.problems or constraints is None:
            return None
        self._objects = ParamObjects(spec.param_kind, params) if spec.param_kind else None
        try:
            joined = [made for made in map(self._binding, bindings) if made]
        except CompileError as error:  # of expressions that are too much only together
            self._problem(self._policy, ("spec",), error.reason)
            return None
        if not joined:
            return None
        missing = (f"{one.name}: {one.missing}" for one in joined if one.missing)
        return Made(
            *self._policy,
            parts=(self._policy[0], *(ident for ident, _ in bindings), *params),
            unanswerable=(*unanswerable(self._expressions), *missing),
            constraints=constraints,
            bindings=joined,
            paths=self._expressions.paths,
        )

    def _binding(self, item: Item) -> Binding | None:
        spec = self._read(item, BindingSpec)
        if spec is None:
            return None
        constraints = self._constraints(item, ("spec", "matchResources"), spec.match_resources)
        if constraints is None:
            return None
        action = next(_ACTIONS[name] for name in _ACTIONS if name in spec.validation_actions)
        binding = Binding(item[0].name, action, constraints)
        if self._objects is None or spec.param_ref is None:
            named = {} if self._objects is None else {"params": constant(None)}
            return binding._replace(askers=[self._asker("without parameters", named)])
        if not self._is_sound(item, spec.param_ref):
            return None
        return self._with_params(binding, spec.param_ref, self._objects)

    def _with_params(self, binding: Binding, ref: ParamRef, objects: ParamObjects) -> Binding:
        if objects.is_fixed(ref):
            found = objects.of(ref, "")
            few = len(found.params) * self._expressions.nodes <= MAX_NODES
            askers = [asker for asker in map(self._joined, found.params if few else ()) if asker]
            if len(askers) == len(found.params):
                return binding._replace(askers=askers, missing=found.missing)
        asker = self._asker("with parameters to come", {})
        return binding._replace(dynamic=Dynamic(objects, ref, asker))

    def _asker(self, key: str, named: Mapping[str, Part]) -> Validator:
        """One for all bindings that need the same."""
        asker = self._askers.get(key)
        if asker is None:
            asker = self._askers[key] = Validator(self._environment, self._expressions, named)
        return asker

    def _joined(self, param: Param) -> Validator | None:
        """The expressions with these parameters in them; None: they are too large for that."""
        if param.ident not in self._askers:
            below = wanted(self._expressions.paths)
            value = prune(param.value, below["params"]) if "params" in below else None
            self._askers[param.ident] = self._constant(value)
        return self._askers[param.ident]

    def _constant(self, value: Any) -> Validator | None:
        try:
            if len(msgspec.json.encode(value)) > _PARAM_BYTES:
                return None
            named: Mapping[str, Part] = {"params": constant(value)}
            return Validator(self._environment, self._expressions, named)
        except (CompileError, RecursionError, UnicodeEncodeError):  # nested too deeply; no text
            return None

    def _is_sound(self, item: Item, ref: ParamRef) -> bool:
        path = ("spec", "paramRef")
        if bool(ref.name) == (ref.selector is not None):
            return self._problem(item, path, "needs one of name and selector")
        try:
            selects(ref.selector or {}, {})
        except SelectorError as error:
            return self._problem(item, (*path, "selector"), str(error))
        return True

    def _constraints(self, item: Item, path: Path, written: MatchResources) -> Constraints | None:
        try:
            return Constraints(written)
        except SelectorError as error:
            self._problem(item, path, f"a selector: {error}")
            return None

    def _read(self, item: Item, form: type[T]) -> T | None:
        written, mistakes = conform(without_nulls(item[1].value.get("spec")), form)
        for path, reason, _ in mistakes:
            self._problem(item, ("spec", *path), reason)
        return written

    def _problem(self, item: Item, path: Path, reason: str) -> bool:
        self.problems.append(problem_in(*item, path, reason))
        return False
