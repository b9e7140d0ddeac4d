"""The spec of a ValidatingAdmissionPolicy and of its binding, as they are written.

Holds what stands in the object and nothing else. Source: k8s.io/api/admissionregistration/v1; what
v1beta1 has is the same.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Cel = Annotated[str, Meta(min_length=1)]
Many = Meta(max_length=1000)
"""Of expressions: what people write has forty."""

Operation = Literal["CREATE", "UPDATE", "DELETE", "CONNECT", "*"]
FailurePolicy = Literal["Fail", "Ignore"]
ValidationAction = Literal["Deny", "Warn", "Audit"]


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A part of the API; what a later version adds is named, not passed over."""


class ResourceRule(_Form, frozen=True):
    """NamedRuleWithOperations: the resources and operations that are meant."""

    operations: tuple[Operation, ...] = ()
    api_groups: tuple[str, ...] = ()
    api_versions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    """`pods`, `pods/exec`, `pods/*`, `*/scale`, `*` (no subresources), `*/*`."""
    resource_names: tuple[str, ...] = ()
    scope: Literal["Cluster", "Namespaced", "*"] = "*"


class MatchResources(_Form, frozen=True):
    """Which requests are meant."""

    resource_rules: tuple[ResourceRule, ...] = ()
    exclude_resource_rules: tuple[ResourceRule, ...] = ()
    namespace_selector: dict[str, Any] = {}
    object_selector: dict[str, Any] = {}
    match_policy: Literal["Exact", "Equivalent"] = "Equivalent"


class Variable(_Form, frozen=True):
    """A name for an expression: `variables.<name>`."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    expression: Cel


class MatchCondition(_Form, frozen=True):
    """What must be true for a request to be looked at."""

    name: Annotated[str, Meta(min_length=1)]
    expression: Cel


class Validation(_Form, frozen=True):
    """What must be true of a request."""

    expression: Cel
    message: str = ""
    message_expression: str = ""
    reason: str = ""


class AuditAnnotation(_Form, frozen=True):
    """What the API server writes into the audit event."""

    key: Annotated[str, Meta(min_length=1)]
    value_expression: Cel


class ParamKind(_Form, frozen=True):
    """The kind of the objects that `params` stands for."""

    api_version: Annotated[str, Meta(min_length=1)]
    kind: Annotated[str, Meta(min_length=1)]


class PolicySpec(_Form, frozen=True):
    """spec of a ValidatingAdmissionPolicy."""

    match_constraints: MatchResources
    validations: Annotated[tuple[Validation, ...], Many] = ()
    audit_annotations: Annotated[tuple[AuditAnnotation, ...], Meta(max_length=20)] = ()
    match_conditions: Annotated[tuple[MatchCondition, ...], Meta(max_length=64)] = ()
    variables: Annotated[tuple[Variable, ...], Many] = ()
    failure_policy: FailurePolicy = "Fail"
    param_kind: ParamKind | None = None


class ParamRef(_Form, frozen=True):
    """Which objects of the policy's paramKind: one by name, or all that a selector selects."""

    name: str = ""
    namespace: str = ""
    """Empty, of a kind that has namespaces: the request's own."""
    selector: dict[str, Any] | None = None
    parameter_not_found_action: Literal["Allow", "Deny", ""] = ""


class BindingSpec(_Form, frozen=True):
    """spec of a ValidatingAdmissionPolicyBinding."""

    policy_name: Annotated[str, Meta(min_length=1)]
    validation_actions: Annotated[tuple[ValidationAction, ...], Meta(min_length=1)]
    param_ref: ParamRef | None = None
    match_resources: MatchResources = MatchResources()
