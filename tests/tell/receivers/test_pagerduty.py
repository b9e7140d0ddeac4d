"""PagerDuty, Events API v2."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from shipper.errors import TellError
from shipper.tell.receivers.pagerduty import render
from tests.tell.support import LOG, finding, message, receiver

NOW = datetime(2026, 11, 23, tzinfo=UTC)
KEY = "e93facc04764012d7bfb002500d5d1a6"  # the example in PagerDuty's documentation


def test_one_alert() -> None:
    """The whole event, field by field."""
    request = render(message(), receiver("pagerduty"), NOW, {"routing_key": KEY})
    assert request.url == "https://events.pagerduty.com/v2/enqueue"
    event = json.loads(request.body)
    details = event["payload"].pop("custom_details")
    assert event == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": f"{LOG}/7/3/pod-exec",
        "client": "audit-shipper",
        "payload": {
            "summary": "Command run in a pod: jane ran a command in prod-pay/api-0",
            "severity": "error",
            "source": "prod/cp-1",
            "timestamp": "2026-11-23T14:00:00.250000+00:00",
            "component": "kube-apiserver",
            "group": "prod",
            "class": "pod-exec",
        },
    }
    assert [one["audit_id"] for one in details["alerts"]] == [
        "5c1a2b3d-0000-4000-8000-123456789abc"
    ]
    assert details["alerts"][0]["manifest_sha256"] == f"{7:064x}"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("info", "info"),
        ("low", "info"),
        ("medium", "warning"),
        ("high", "error"),
        ("critical", "critical"),
    ],
)
def test_severities(ours: str, theirs: str) -> None:
    """Ours are five, theirs four."""
    request = render(
        message(finding(severity=ours)),  # type: ignore[arg-type]
        receiver("pagerduty"),
        NOW,
        {"routing_key": KEY},
    )
    assert json.loads(request.body)["payload"]["severity"] == theirs


def test_long_texts_fit() -> None:
    """Summary 1024 characters, key 255, the whole far below 512 KB."""
    found = [finding("r" * 400, message="m" * 2000, line=n) for n in range(50)]
    request = render(message(*found), receiver("pagerduty"), NOW, {"routing_key": KEY})
    event = json.loads(request.body)
    assert len(event["payload"]["summary"]) == 1024
    assert len(event["dedup_key"]) <= 255
    assert len(request.body) < 400_000


@pytest.mark.parametrize("key", ["short", "e93facc04764012d7bfb002500d5d1a!", "a" * 33])
def test_what_is_no_routing_key_is_not_sent(key: str) -> None:
    """PagerDuty answers 400 to it, which would make every alert a dead letter."""
    with pytest.raises(TellError, match="no routing key") as caught:
        render(message(), receiver("pagerduty"), NOW, {"routing_key": key})
    assert key not in str(caught.value)
