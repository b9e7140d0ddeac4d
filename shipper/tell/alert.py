"""What is told: one finding with its evidence, and the message that carries some of them. Pure.

Findings hold text that an attacker wrote. It is bounded and made harmless once, here, before it is
stored; each receiver's form escapes it for its own syntax besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import structs

from shipper.model import SEVERITIES, Alerts, Evidence, Finding, Severity, What, Where, Who
from shipper.text import harmless

MOST_PER_RECORD = 1000
"""Alerts that are kept of one record; of the others only their number is told."""

_LONG, _SHORT, _GROUPS = 2000, 512, 32


class Alert(NamedTuple):
    """One finding, and the sealed record that proves it."""

    evidence: Evidence
    finding: Finding

    @property
    def id(self) -> str:
        """The same however often it is sent: `<log>/<seq>/<line>/<rule>`."""
        finding = self.finding
        return f"{self.evidence.log}/{self.evidence.seq}/{finding.line}/{finding.rule}"

    @property
    def cluster(self) -> str:
        """The cluster in the log's name."""
        return self.evidence.log.split("/")[-3]

    @property
    def node(self) -> str:
        """The node in the log's name."""
        return self.evidence.log.split("/")[-2]

    @property
    def moment(self) -> datetime:
        """When the event happened; when it was sealed, where the event's own time is no time."""
        try:
            happened = datetime.fromisoformat(self.finding.time)
        except ValueError:
            return self.evidence.sealed_at
        happened = happened if happened.tzinfo else happened.replace(tzinfo=UTC)
        return happened if not happened.utcoffset() else self.evidence.sealed_at


class Message(NamedTuple):
    """What a receiver is told in one go: one alert or more, in order."""

    alerts: tuple[Alert, ...]

    @property
    def id(self) -> str:
        """The first alert's, and how many more follow."""
        more = len(self.alerts) - 1
        return f"{self.alerts[0].id}+{more}" if more else self.alerts[0].id

    @property
    def severity(self) -> Severity:
        """The worst."""
        return worst(alert.finding.severity for alert in self.alerts)

    @property
    def title(self) -> str:
        """What the first alert's rule is called, and how many more there are."""
        first, more = self.alerts[0].finding, len(self.alerts) - 1
        title = first.title or first.rule
        return f"{title} (and {more} more)" if more else title


def worst(severities: Iterable[Severity]) -> Severity:
    """The most severe of some; `info` if there is none."""
    return max(severities, key=SEVERITIES.index, default="info")


def alerts_of(evidence: Evidence, findings: Iterable[Finding]) -> Alerts | None:
    """What a record's findings give cause to tell; None if that is nothing.

    Where there are too many, the worst are kept, in their order.
    """
    loud = [one for one in findings if one.mode == "alert" and one.verdict == "match"]
    if not loud:
        return None
    ranked = sorted(
        range(len(loud)), key=lambda n: SEVERITIES.index(loud[n].severity), reverse=True
    )
    kept = sorted(ranked[:MOST_PER_RECORD])
    omitted = Counter(loud[n].rule for n in ranked[MOST_PER_RECORD:])
    return Alerts(evidence, tuple(clean(loud[n]) for n in kept), dict(omitted))


def facts(alert: Alert) -> Mapping[str, str]:
    """What happened, and what proves it, as names and texts; what is not known is left out."""
    finding, evidence = alert.finding, alert.evidence
    what = finding.what
    known = {
        "user": finding.who.user,
        "impersonated": finding.who.impersonated,
        "groups": ", ".join(finding.who.groups),
        "verb": what.verb,
        "resource": resource(what),
        "namespace": what.namespace,
        "name": what.name,
        "code": str(what.code) if what.code else "",
        "source_ip": finding.where.source_ip,
        "user_agent": finding.where.user_agent,
        "uri": finding.where.uri,
        "attack": ", ".join(finding.attack),
        "audit_id": finding.audit_id,
        "event_time": finding.time,
        "alert_id": alert.id,
        "log": evidence.log,
        "seq": str(evidence.seq),
        "line": str(finding.line),
        "manifest_sha256": evidence.manifest_sha256,
        "manifest_key": evidence.manifest_key,
    }
    return {name: text for name, text in known.items() if text}


def resource(what: What) -> str:
    """`pods/exec`, `deployments.apps`, or nothing for a request that names no resource."""
    group = f".{what.api_group}" if what.api_group else ""
    sub = f"/{what.subresource}" if what.subresource else ""
    return f"{what.resource}{group}{sub}"


def clean(finding: Finding) -> Finding:
    """The same with all its texts bounded and harmless."""
    who, what, where = finding.who, finding.what, finding.where
    return structs.replace(
        finding,
        rule=_short(finding.rule),
        title=_short(finding.title),
        message=harmless(finding.message, _LONG),
        attack=_several(finding.attack),
        audit_id=_short(finding.audit_id),
        time=_short(finding.time),
        who=Who(_short(who.user), _several(who.groups), _short(who.impersonated)),
        what=What(
            stage=_short(what.stage),
            verb=_short(what.verb),
            api_group=_short(what.api_group),
            resource=_short(what.resource),
            subresource=_short(what.subresource),
            namespace=_short(what.namespace),
            name=_short(what.name),
            code=what.code,
        ),
        where=Where(_short(where.source_ip), _short(where.user_agent), _short(where.uri)),
    )


def _short(text: str) -> str:
    return harmless(text, _SHORT)


def _several(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_short(text) for text in texts[:_GROUPS])
