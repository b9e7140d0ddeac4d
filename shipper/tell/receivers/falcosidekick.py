"""Falcosidekick: an event as Falco's `http_output` sends it, with its k8saudit plugin's fields.

https://github.com/falcosecurity/falcosidekick/blob/master/types/types.go (FalcoPayload). All fields
are texts: it takes some for granted to be.
"""

from __future__ import annotations

from datetime import datetime

from shipper.receivers import Falcosidekick
from shipper.tell.alert import Message, facts
from shipper.tell.request import Request, Secrets, json_post

PRIORITY = {
    "info": "Informational",
    "low": "Notice",
    "medium": "Warning",
    "high": "Error",
    "critical": "Critical",
}

FIELDS = {
    "user": "ka.user.name",
    "groups": "ka.user.groups",
    "impersonated": "ka.impuser.name",
    "verb": "ka.verb",
    "resource": "ka.target.resource",
    "namespace": "ka.target.namespace",
    "name": "ka.target.name",
    "code": "ka.response.code",
    "source_ip": "ka.sourceips",
    "user_agent": "ka.useragent",
    "uri": "ka.uri",
    "audit_id": "ka.auditid",
}
"""The names that falcosecurity/plugins, plugins/k8saudit, gives them; the rest are ours."""


def render(message: Message, receiver: Falcosidekick, now: datetime, secrets: Secrets) -> Request:
    """The event; a message to this receiver carries one alert."""
    alert = message.alerts[0]
    finding = alert.finding
    event = {
        "output": finding.message or message.title,
        "priority": PRIORITY[finding.severity],
        "rule": message.title,
        "time": alert.moment.isoformat(),
        "source": "k8s_audit",
        "tags": ["audit-shipper", finding.rule, *finding.attack],
        "hostname": alert.node,
        "output_fields": {
            FIELDS.get(name, f"audit_shipper.{name}"): text for name, text in facts(alert).items()
        },
    }
    return json_post(receiver.url, event, secrets=secrets)
