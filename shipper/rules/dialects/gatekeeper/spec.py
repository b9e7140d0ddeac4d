"""What is read of a ConstraintTemplate, of a constraint and of Gatekeeper's Config, as written.

Holds what stands in the object and nothing else. Source: open-policy-agent/frameworks (templates),
open-policy-agent/gatekeeper (pkg/drivers/k8scel/schema, pkg/mutation/match, apis/config).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shipper.rules.dialects.vap.spec import Cel, FailurePolicy, Many, MatchCondition, Variable

ENGINE = "K8sNativeValidation"


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A part of the API; what a later version adds is named, not passed over."""


class Validation(_Form, frozen=True):
    """What must be true of an object."""

    expression: Cel
    message: str = ""
    message_expression: str = ""


class CelSource(_Form, frozen=True):
    """`source` of a template's code for the engine K8sNativeValidation."""

    validations: Annotated[tuple[Validation, ...], Many] = ()
    failure_policy: FailurePolicy = "Fail"
    match_condition: Annotated[tuple[MatchCondition, ...], Many] = ()
    """In the singular, unlike a ValidatingAdmissionPolicy's."""
    variables: Annotated[tuple[Variable, ...], Many] = ()
    generate_vap: bool | None = msgspec.field(default=None, name="generateVAP")
    """Says who evaluates it in the cluster, which makes no difference here."""


class Code(msgspec.Struct, frozen=True, rename="camel"):
    """The template in the language of one engine."""

    engine: str
    source: Any = None


class Target(msgspec.Struct, frozen=True, rename="camel"):
    """What the template is about; there is one target alone."""

    target: str = ""
    rego: str = ""
    libs: tuple[str, ...] = ()
    code: tuple[Code, ...] = ()
    operations: tuple[str, ...] = ()


class RegoSource(msgspec.Struct, frozen=True):
    """`source` of a template's code for the engine Rego."""

    rego: str = ""
    libs: tuple[str, ...] = ()


class Kinds(_Form, frozen=True):
    """API groups and kinds; none is all."""

    api_groups: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Match(_Form, frozen=True):
    """`spec.match` of a constraint. Namespaces and names may begin or end with `*`."""

    kinds: tuple[Kinds, ...] = ()
    scope: str = "*"
    namespaces: tuple[str, ...] = ()
    excluded_namespaces: tuple[str, ...] = ()
    label_selector: dict[str, Any] = {}
    namespace_selector: dict[str, Any] = {}
    name: str = ""
    source: Literal["All", "Generated", "Original", ""] = "All"


class EnforcementPoint(_Form, frozen=True):
    """Where an action is taken: validation.gatekeeper.sh, vap.k8s.io, audit.gatekeeper.sh, …"""

    name: Annotated[str, Meta(min_length=1)]


class ScopedAction(_Form, frozen=True):
    """An action at some of the points."""

    action: Literal["deny", "dryrun", "warn"]
    enforcement_points: tuple[EnforcementPoint, ...] = ()


class ConstraintSpec(_Form, frozen=True):
    """spec of a constraint."""

    match: Match = Match()
    parameters: dict[str, Any] | None = None
    enforcement_action: Literal["deny", "dryrun", "warn", "scoped", ""] = "deny"
    scoped_enforcement_actions: tuple[ScopedAction, ...] = ()
