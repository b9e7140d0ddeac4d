"""PagerDuty, Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/

One incident a message; `dedup_key` is the message's id, so that a repeated one changes nothing.
"""

from __future__ import annotations

import re
from datetime import datetime
from hashlib import sha256

from shipper.errors import TellError
from shipper.receivers import PagerDuty
from shipper.tell.alert import Message, facts
from shipper.tell.request import Request, Secrets, json_post
from shipper.text import cut

SEVERITY = {
    "info": "info",
    "low": "info",
    "medium": "warning",
    "high": "error",
    "critical": "critical",
}

_SUMMARY, _DEDUP_KEY = 1024, 255
_ROUTING_KEY = re.compile("[A-Za-z0-9]{32}")


def render(message: Message, receiver: PagerDuty, now: datetime, secrets: Secrets) -> Request:
    """The event. `TellError` if the file holds no routing key: PagerDuty would say 400 to each."""
    if not _ROUTING_KEY.fullmatch(secrets["routing_key"]):
        raise TellError("routing_key_file holds no routing key", remedy="it has 32 characters")
    first = message.alerts[0]
    key = message.id
    event = {
        "routing_key": secrets["routing_key"],
        "event_action": "trigger",
        "dedup_key": key if len(key) <= _DEDUP_KEY else sha256(key.encode()).hexdigest(),
        "client": "audit-shipper",
        "payload": {
            "summary": cut(f"{message.title}: {first.finding.message}", _SUMMARY),
            "severity": SEVERITY[message.severity],
            "source": f"{first.cluster}/{first.node}",
            "timestamp": first.moment.isoformat(),
            "component": "kube-apiserver",
            "group": first.cluster,
            "class": first.finding.rule,
            "custom_details": {
                "alerts": [
                    {"message": alert.finding.message, **facts(alert)} for alert in message.alerts
                ]
            },
        },
    }
    return json_post(receiver.url, event, secrets={})
