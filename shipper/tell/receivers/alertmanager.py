"""Prometheus' Alertmanager, API v2 (prometheus/alertmanager, api/v2/openapi.yaml).

Each finding is an alert of its own (label `alert_id`), active from its seal until `resolve_after`
has passed since it was first sent: one that ends in the past would never be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from shipper.receivers import Alertmanager
from shipper.tell.alert import Alert, Message, facts
from shipper.tell.request import Request, Secrets, json_post

MOST_ACTIVE = 500
"""Alerts that are sent again; Alertmanager knows the end of the older ones all the same."""


def render(message: Message, receiver: Alertmanager, now: datetime, secrets: Secrets) -> Request:
    """The alerts, for the first time."""
    ends = now + timedelta(seconds=receiver.resolve_after)
    return _post(dict.fromkeys(message.alerts, ends), receiver, secrets)


class Active:
    """What Alertmanager has been told and is not over: it forgets when it restarts.

    Held in memory: if both restart within `resolve_after` an alert ends early; it was told.
    """

    def __init__(self, receiver: Alertmanager) -> None:
        self._receiver = receiver
        self.every_seconds = float(receiver.resend_every)
        self._ends: dict[Alert, datetime] = {}

    def told(self, message: Message, now: datetime) -> None:
        """Alertmanager has taken `message`."""
        ends = now + timedelta(seconds=self._receiver.resolve_after)
        for alert in message.alerts:
            self._ends.setdefault(alert, ends)
        while len(self._ends) > MOST_ACTIVE:
            del self._ends[next(iter(self._ends))]

    def prune(self, now: datetime) -> bool:
        """Let go of what is over; whether something is still active."""
        self._ends = {alert: ends for alert, ends in self._ends.items() if ends > now}
        return bool(self._ends)

    def again(self, secrets: Secrets) -> Request:
        """All that are active, once more."""
        return _post(self._ends, self._receiver, secrets)

    def __len__(self) -> int:
        return len(self._ends)


def _post(ends: Mapping[Alert, datetime], receiver: Alertmanager, secrets: Secrets) -> Request:
    alerts = [
        {
            "labels": _labels(alert),
            "annotations": {
                "summary": alert.finding.title or alert.finding.rule,
                "description": alert.finding.message,
                **facts(alert),
            },
            "startsAt": alert.evidence.sealed_at.isoformat(),
            "endsAt": end.isoformat(),
        }
        for alert, end in ends.items()
    ]
    return json_post(f"{receiver.url.rstrip('/')}/api/v2/alerts", alerts, secrets=secrets)


def _labels(alert: Alert) -> dict[str, str]:
    finding = alert.finding
    labels = {
        "alertname": finding.rule,
        "severity": finding.severity,
        "cluster": alert.cluster,
        "node": alert.node,
        "namespace": finding.what.namespace,
        "alert_id": alert.id,
    }
    return {name: text for name, text in labels.items() if text}
