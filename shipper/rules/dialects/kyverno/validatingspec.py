"""From a ValidatingPolicy's text to a policy that can be asked, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shipper.rules.cel import CompileError, Environment
from shipper.rules.conform import conform
from shipper.rules.dialects.activations import Activations
from shipper.rules.dialects.expressions import Checker, Text
from shipper.rules.dialects.kyverno.autogen import moved
from shipper.rules.dialects.kyverno.celexpr import Written, checked, unanswerable
from shipper.rules.dialects.kyverno.celspec import ExceptionSpec, ValidatingSpec
from shipper.rules.dialects.kyverno.validating import (
    ExceptionOf,
    Part,
    PartialScope,
    ValidatingPolicy,
)
from shipper.rules.dialects.policy import Action, Ident, Source
from shipper.rules.dialects.problems import problem_in
from shipper.rules.dialects.selectors import SelectorError
from shipper.rules.dialects.vap.constraints import Constraints
from shipper.rules.dialects.vap.spec import MatchResources, ResourceRule
from shipper.rules.document import Path, Problem
from shipper.rules.fields import without_nulls

Item = tuple[Ident, Source]

_ACTIONS: Mapping[str, Action] = {"Deny": "deny", "Warn": "warn", "Audit": "audit"}
"""The strictest first."""

_CONTROLLERS = {
    "daemonsets": "apps",
    "deployments": "apps",
    "replicasets": "apps",
    "statefulsets": "apps",
    "jobs": "batch",
}
_CRON_JOBS = {"cronjobs": "batch"}
_TEMPLATE = "spec.template"
_JOB_TEMPLATE = "spec.jobTemplate.spec.template"
_PATHS: Mapping[str, Path] = {
    "variables": ("spec", "variables"),
    "conditions": ("spec", "matchConditions"),
    "validations": ("spec", "validations"),
    "annotations": ("spec", "auditAnnotations"),
}


class ValidatingCompiler:
    """Of one ValidatingPolicy with the exceptions that name it."""

    def __init__(self, environment: Environment, activations: Activations, policy: Item) -> None:
        self.problems: list[Problem] = []
        self._environment = environment
        self._activations = activations
        self._policy = policy

    def policy(self, exceptions: Sequence[Item]) -> ValidatingPolicy | None:
        """None: there are problems, or it is asked about no request."""
        spec = self._read(self._policy, ValidatingSpec)
        if spec is None:
            return None
        if spec.evaluation.mode == "JSON":
            self._problem(("spec", "evaluation", "mode"), "JSON payloads are not judged here")
            return None
        if spec.match_constraints is None:
            self._problem(("spec", "matchConstraints"), "is missing")
            return None
        spared = [made for made in map(self._exception, exceptions) if made]
        made = [
            part
            for name, one in _generated(spec)
            if (part := self._part(name, one, spared)) is not None
        ]
        if self.problems:
            return None
        says = [text for part in made[:1] for text in unanswerable(part.expressions)]
        return ValidatingPolicy(
            *self._policy,
            made,
            action=_action(spec),
            parts=[self._policy[0], *(one.ident for one in spared)],
            unanswerable=list(dict.fromkeys(says)),
            activations=self._activations,
        )

    def _part(
        self, name: str, spec: ValidatingSpec, exceptions: Sequence[ExceptionOf]
    ) -> Part | None:
        written = Written(
            variables=spec.variables,
            conditions=spec.match_conditions,
            validations=spec.validations,
            annotations=spec.audit_annotations,
            paths=_PATHS,
            ignores_errors=spec.failure_policy == "Ignore",
        )
        expressions, problems = checked(self._environment, *self._policy, written)
        self.problems += [] if name and self.problems else problems
        if problems or spec.match_constraints is None:
            return None
        try:
            return Part(
                name,
                Constraints(spec.match_constraints),
                expressions,
                environment=self._environment,
                exceptions=exceptions,
            )
        except SelectorError as error:
            self._problem(("spec", "matchConstraints"), f"a selector: {error}")
        except CompileError as error:
            self._problem(("spec",), error.reason)
        return None

    def _exception(self, item: Item) -> ExceptionOf | None:
        spec = self._read(item, ExceptionSpec)
        if spec is None:
            return None
        checker = Checker(self._environment, *item)
        conditions = [
            checker.condition(
                one.name, Text(one.expression, ("spec", "matchConditions", at, "expression"))
            )
            for at, one in enumerate(spec.match_conditions)
        ]
        self.problems += checker.problems
        scope = PartialScope(spec.images, spec.allowed_values)
        known = [one for one in conditions if one]
        return ExceptionOf(item[0], self._environment, known, scope)

    def _read(self, item: Item, form: Any) -> Any:
        found, mistakes = conform(without_nulls(item[1].value.get("spec")), form)
        for path, reason, is_unknown in mistakes:
            if not is_unknown:
                self.problems.append(problem_in(*item, ("spec", *path), reason))
        if found is None and not self.problems:
            found = msgspec.convert(without_nulls(item[1].value.get("spec")), form)
        return found

    def _problem(self, path: Path, reason: str) -> None:
        self.problems.append(problem_in(*self._policy, path, reason))


def policy_names(source: Source) -> set[tuple[str, str]]:
    """(kind, name) of the policies that an exception is about."""
    spec = source.value.get("spec")
    refs = spec.get("policyRefs") if isinstance(spec, Mapping) else None
    return {
        (str(ref.get("kind", "")), str(ref.get("name", "")))
        for ref in (refs if isinstance(refs, list) else ())
        if isinstance(ref, Mapping)
    }


def _action(spec: ValidatingSpec) -> Action:
    if not spec.evaluation.admission.enabled:
        return "audit"
    named = spec.validation_actions or ("Deny",)
    return next(_ACTIONS[name] for name in _ACTIONS if name in named)


def _generated(spec: ValidatingSpec) -> Iterator[tuple[str, ValidatingSpec]]:
    """The policy itself, then what Kyverno makes of it for controllers, each with its prefix."""
    yield "", spec
    constraints = spec.match_constraints
    if constraints is None or not _is_of_pods(constraints):
        return
    asked = spec.autogen.pod_controllers.controllers
    for name, table, template in (
        ("autogen-defaults: ", _CONTROLLERS, _TEMPLATE),
        ("autogen-cronjobs: ", _CRON_JOBS, _JOB_TEMPLATE),
    ):
        resources = [one for one in table if asked is None or one in asked]
        if resources:
            made = _moved(spec, template)
            yield (
                name,
                msgspec.structs.replace(
                    made, match_constraints=_for_controllers(constraints, resources, table)
                ),
            )


def _is_of_pods(constraints: MatchResources) -> bool:
    rules = constraints.resource_rules
    return (
        not constraints.object_selector
        and not constraints.exclude_resource_rules
        and len(rules) == 1
        and not rules[0].resource_names
        and rules[0].api_groups == ("",)
        and rules[0].api_versions == ("v1",)
        and rules[0].resources == ("pods",)
    )


def _for_controllers(
    constraints: MatchResources, resources: Sequence[str], groups: Mapping[str, str]
) -> MatchResources:
    operations = constraints.resource_rules[0].operations
    return MatchResources(
        resource_rules=tuple(
            ResourceRule(operations, (groups[one],), ("v1",), (one,)) for one in resources
        ),
        namespace_selector=constraints.namespace_selector,
    )


def _moved(spec: ValidatingSpec, template: str) -> ValidatingSpec:
    """Every text of it with `object.spec` and `object.metadata` in the template."""
    pairs = [
        (f"{shown}.{part}", f"{shown}.{template}.{part}")
        for part in ("spec", "metadata")
        for shown in ("object", "oldObject")
    ]

    def move(text: str) -> str:
        for old, new in pairs:
            text = _replaced(text, old, new)
        return text

    plain = msgspec.json.decode(msgspec.json.encode(spec))
    return msgspec.convert(moved(plain, move), ValidatingSpec)


def _replaced(text: str, old: str, new: str) -> str:
    """Every `old` but `old.namespace`, which a template has not."""
    head, *rest = text.split(old)
    return head + "".join((old if _keeps(tail) else new) + tail for tail in rest)


def _keeps(tail: str) -> bool:
    name = ".namespace"
    after = tail[len(name) : len(name) + 1]
    return tail.startswith(name) and not (after.isalnum() or after == "_")
