"""A finding, from a rule and the event it speaks of. Texts are cut and made harmless here."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec import UNSET, UnsetType

from shipper.model import Finding, Guardrail, What, Where, Who
from shipper.rules import fields
from shipper.rules.compile import Rule
from shipper.rules.event import Event, ObjectRef, Status, user_of
from shipper.text import harmless

MAX_TEXT = 512
"""Characters of a text in a finding."""

MAX_GROUPS = 32
"""Groups that a finding names."""

_NO_STATUS, _NO_REF = Status(), ObjectRef()


class Shown(NamedTuple):
    """What every finding about an event says of it."""

    audit_id: str
    time: str
    who: Who
    what: What
    where: Where


def shown(event: Event) -> Shown:
    """What findings say of the event; dearer than the rest of them."""
    return Shown(
        _short(event.auditID), fields.timestamp(event), who(event), what(event), where(event)
    )


def finding(
    rule: Rule,
    event: Shown,
    *,
    line: int,
    message: str,
    verdict: Literal["match", "indeterminate"] = "match",
    guardrail: Guardrail | UnsetType = UNSET,
) -> Finding:
    """What the rule says of the event in line `line`; `message` is harmless already.

    `guardrail`: what it says it of.
    """
    return Finding(
        rule=rule.name,
        title=rule.title,
        severity=rule.severity if verdict == "match" else "info",
        verdict=verdict,
        mode=rule.mode,
        attack=rule.attack,
        message=message,
        audit_id=event.audit_id,
        line=line,
        time=event.time,
        who=event.who,
        what=event.what,
        where=event.where,
        guardrail=guardrail,
    )


def who(event: Event) -> Who:
    """Who asked."""
    return Who(
        user=_short(event.user.username),
        groups=tuple(_short(group) for group in event.user.groups[:MAX_GROUPS]),
        impersonated=_short(user_of(event.impersonatedUser).username),
    )


def what(event: Event) -> What:
    """What was asked, and answered."""
    ref = event.objectRef or _NO_REF
    return What(
        stage=_short(event.stage),
        verb=_short(event.verb),
        api_group=_short(ref.apiGroup),
        resource=_short(ref.resource),
        subresource=_short(ref.subresource),
        namespace=_short(ref.namespace),
        name=_short(ref.name),
        code=(event.responseStatus or _NO_STATUS).code,
    )


def where(event: Event) -> Where:
    """From where."""
    return Where(
        source_ip=_short(fields.source_ip(event)),
        user_agent=_short(event.userAgent),
        uri=_short(event.requestURI),
    )


def _short(text: str) -> str:
    return harmless(text, MAX_TEXT)
