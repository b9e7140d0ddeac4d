"""The generic webhook: CloudEvents 1.0, structured JSON, signed as Standard Webhooks say.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode, b64encode
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from shipper.errors import TellError
from shipper.receivers import Webhook
from shipper.tell.alert import Alert, Message
from shipper.tell.request import Request, Secrets, json_post

EVENT_TYPE = "audit-shipper.alert.v1"

_KEY_BYTES = range(24, 65)


def render(message: Message, receiver: Webhook, now: datetime, secrets: Secrets) -> Request:
    """The event. `TellError` if a key in `hmac_key_file` is none."""
    first = message.alerts[0]
    event = {
        "specversion": "1.0",
        "id": message.id,
        "source": first.evidence.log,
        "type": EVENT_TYPE,
        "subject": first.finding.rule,
        "time": first.evidence.sealed_at.isoformat(),
        "datacontenttype": "application/json",
        "data": {
            "title": message.title,
            "severity": message.severity,
            "alerts": [_alert(alert) for alert in message.alerts],
        },
    }
    request = json_post(
        secrets.get("url") or receiver.url,
        event,
        secrets=secrets,
        content_type="application/cloudevents+json; charset=UTF-8",
    )
    if "hmac_key" in secrets:
        request.headers.update(_signature(message.id, now, request.body, secrets["hmac_key"]))
    return request


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "finding": msgspec.to_builtins(alert.finding),
        "evidence": msgspec.to_builtins(alert.evidence),
    }


def _signature(id_: str, now: datetime, body: bytes, keys: str) -> dict[str, str]:
    """The three headers. The id is hashed: it must hold no full stop, and no text of a user's."""
    name = f"msg_{sha256(id_.encode()).hexdigest()[:32]}"
    moment = str(int(now.timestamp()))
    signed = f"{name}.{moment}.".encode() + body
    signatures = [
        "v1," + b64encode(hmac.digest(_key(line), signed, "sha256")).decode()
        for line in keys.split("\n")
    ]
    return {
        "webhook-id": name,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(signatures),
    }


def _key(line: str) -> bytes:
    try:
        key = b64decode(line.strip().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) not in _KEY_BYTES:
        raise TellError(
            "a line of hmac_key_file is no key",
            remedy="write whsec_ and the base64 of 24 to 64 random bytes",
        )
    return key
