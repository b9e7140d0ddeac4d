"""From a receiver's configuration to its form: the one place that knows all of them."""

from __future__ import annotations

from datetime import datetime

from shipper.receivers import Alertmanager, Falcosidekick, PagerDuty, Receiver, Slack, Webhook
from shipper.tell.alert import Message
from shipper.tell.receivers import alertmanager, falcosidekick, pagerduty, slack, webhook
from shipper.tell.request import Request, Secrets


def render(message: Message, receiver: Receiver, now: datetime, secrets: Secrets) -> Request:
    """What tells `receiver` of `message`; `TellError` if a secret is not of the form it needs."""
    match receiver:
        case Webhook():
            return webhook.render(message, receiver, now, secrets)
        case Slack():
            return slack.render(message, receiver, now, secrets)
        case Alertmanager():
            return alertmanager.render(message, receiver, now, secrets)
        case PagerDuty():
            return pagerduty.render(message, receiver, now, secrets)
        case Falcosidekick():
            return falcosidekick.render(message, receiver, now, secrets)


def kind(receiver: Receiver) -> str:
    """The receiver's type, as the configuration calls it."""
    return str(receiver.__struct_config__.tag)
