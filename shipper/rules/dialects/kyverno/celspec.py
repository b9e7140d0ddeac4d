"""The CEL of Kyverno's policies, as it is written: `validate.cel`, and the policies of
policies.kyverno.io. Holds what stands in the object and nothing else.

Source: github.com/kyverno/api, api/policies.kyverno.io; kyverno api/kyverno/v1 (CEL).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from shipper.rules.dialects.vap.spec import (
    AuditAnnotation,
    FailurePolicy,
    MatchCondition,
    MatchResources,
    ParamKind,
    ParamRef,
    Validation,
    ValidationAction,
    Variable,
)


class CelRule(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`validate.cel` of a rule."""

    expressions: tuple[Validation, ...] = ()
    variables: tuple[Variable, ...] = ()
    audit_annotations: tuple[AuditAnnotation, ...] = ()
    param_kind: ParamKind | None = None
    param_ref: ParamRef | None = None
    generate: bool = False


class PodControllers(msgspec.Struct, frozen=True):
    """None: all that there are."""

    controllers: tuple[str, ...] | None = None


class Autogen(msgspec.Struct, frozen=True, rename="camel"):
    """What is generated of a policy."""

    pod_controllers: PodControllers = PodControllers()


class Enabled(msgspec.Struct, frozen=True):
    """A switch."""

    enabled: bool = True


class Evaluation(msgspec.Struct, frozen=True):
    """Where a policy is asked."""

    mode: Literal["Kubernetes", "JSON", ""] = ""
    admission: Enabled = Enabled()


class ValidatingSpec(msgspec.Struct, frozen=True, rename="camel"):
    """spec of a ValidatingPolicy or NamespacedValidatingPolicy."""

    match_constraints: MatchResources | None = None
    match_conditions: tuple[MatchCondition, ...] = ()
    variables: tuple[Variable, ...] = ()
    validations: tuple[Validation, ...] = ()
    audit_annotations: tuple[AuditAnnotation, ...] = ()
    failure_policy: FailurePolicy = "Fail"
    validation_actions: tuple[ValidationAction, ...] = ()
    evaluation: Evaluation = Evaluation()
    autogen: Autogen = Autogen()


class PolicyRef(msgspec.Struct, frozen=True):
    """A policy that an exception is about."""

    name: str
    kind: str = "ValidatingPolicy"


class ExceptionSpec(msgspec.Struct, frozen=True, rename="camel"):
    """spec of a PolicyException of policies.kyverno.io."""

    policy_refs: tuple[PolicyRef, ...] = ()
    match_conditions: tuple[MatchCondition, ...] = ()
    images: tuple[str, ...] = ()
    allowed_values: tuple[str, ...] = ()
    report_result: Any = None
