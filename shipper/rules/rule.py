"""The rule file as it is written: every key, its type, its limits. `docs/rules.md` explains them.

Holds what stands in the file and nothing else; `compile.py` makes a rule of it that can be asked.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shipper.model import Severity

API_VERSION: Literal["audit-shipper/v1"] = "audit-shipper/v1"

Mode = Literal["alert", "shadow"]
Stage = Literal["Answered", "RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"]
Expected = Literal["match", "none", "indeterminate"]

Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
ParamName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Meta(max_length=10_000)]
Cel = Annotated[str, Meta(min_length=1, max_length=16_384)]
Technique = Annotated[str, Meta(pattern=r"^T[0-9]{4}(\.[0-9]{3})?$")]
Pattern = Annotated[str, Meta(max_length=512, pattern=r"^[^\x00-\x1f\x7f]*$")]
Patterns = Annotated[tuple[Pattern, ...], Meta(min_length=1, max_length=1000)]
Events = Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=1000)]


class _Form(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename="camel",
):
    """A part of a rule file; unknown keys are refused."""


class Match(_Form, frozen=True):
    """Which events a rule looks at. All keys that are given must hold.

    Within a list: any pattern without `!` (if there is one), and none of those with it. `*` stands
    for any text.
    """

    stages: Annotated[tuple[Stage, ...], Meta(min_length=1)] = ()
    """By default Answered: the first event of a request that has the answer, so one of each."""
    verbs: Patterns = ()
    """As in the event: get, list, watch, create, update, patch, delete, deletecollection, …"""
    api_groups: Patterns = ()
    """The object's API group; "" is the core group."""
    resources: Patterns = ()
    """`pods` (no subresource), `pods/exec`, `pods/*` (any subresource), `*/scale`, `*` (all)."""
    namespaces: Patterns = ()
    """The object's namespace; "" where it has none."""
    users: Patterns = ()
    """The authenticated user's name."""
    groups: Patterns = ()
    """Any of the authenticated user's groups."""


class RuleMatch(Match, frozen=True):
    """A rule's match block."""

    raw: Annotated[str, Meta(min_length=1, max_length=4096)] | None = None
    """RE2: what the line must contain, as the API server wrote it; looked for before any body is
    decoded."""


class Exemption(_Form, frozen=True):
    """What a rule lets pass, who says so, and until when."""

    reason: Line
    """Why: whoever reads the rule in a year must understand it."""
    match: Match | None = None
    when: Cel | None = None
    until: Annotated[str, Meta(max_length=40)] | None = None
    """A date (to the end of that day in UTC) or an RFC 3339 time, against the event's own time."""


class Threshold(_Form, frozen=True):
    """A finding only at `count` matches with the same key within a duration of event time."""

    count: Annotated[int, Meta(ge=1, le=10_000)]
    within: Annotated[str, Meta(max_length=20)]
    """A duration with its unit: 30s, 5m, 1h."""
    by: Annotated[tuple[Cel, ...], Meta(max_length=8)] = ()
    """CEL expressions whose values make the key; none: all matches count together."""


class Test(_Form, frozen=True):
    """Events, and what the rule must say of them."""

    name: Line
    expect: Expected
    event: dict[str, Any] | None = None
    events: Events | None = None
    params: dict[ParamName, Any] = {}
    """Parameters for this test; the others have their defaults."""


class RuleSpec(_Form, frozen=True):
    """What the rule says, of which events, and how it is told."""

    title: Line
    """One line for a table."""
    severity: Severity
    description: Text = ""
    """Why it matters; the first line is the one-line why."""
    attack: tuple[Technique, ...] = ()
    """MITRE ATT&CK techniques: T1609, T1078.004."""
    false_positives: tuple[Line, ...] = ()
    """Who may well do this for a good reason."""
    match: RuleMatch = RuleMatch()
    when: Cel | None = None
    """CEL over `event`, `object`, `oldObject`, `request` and `params`; true is a match."""
    message: Annotated[str, Meta(min_length=1, max_length=4000)] | None = None
    """What the finding says, with CEL in {{ }}; by default the title."""
    exceptions: Annotated[tuple[Exemption, ...], Meta(max_length=1000)] = ()
    mode: Mode = "alert"
    """shadow: sealed like any other finding, but nobody is alerted."""
    threshold: Threshold | None = None
    tests: tuple[Test, ...] = ()


class Overriding(_Form, frozen=True):
    """What the configuration changes of a rule; what is left out stays as the rule says."""

    severity: Severity | None = None
    mode: Mode | None = None
    exceptions: Annotated[tuple[Exemption, ...], Meta(max_length=1000)] = ()
    """Added to the rule's own."""


class RuleMetadata(_Form, frozen=True):
    """What the rule is called: a DNS label, unique in the whole set."""

    name: Name


class AuditRule(_Form, frozen=True):
    """A document of kind AuditRule."""

    api_version: Literal["audit-shipper/v1"]
    kind: Literal["AuditRule"]
    metadata: RuleMetadata
    spec: RuleSpec


class AuditParams(_Form, frozen=True):
    """A document of kind AuditParams: parameters with defaults, which the config may change."""

    api_version: Literal["audit-shipper/v1"]
    kind: Literal["AuditParams"]
    metadata: RuleMetadata
    spec: dict[ParamName, Any]
