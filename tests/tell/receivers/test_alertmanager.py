"""Alertmanager, API v2: active for a while, said again meanwhile, forgotten after."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from shipper.model import What
from shipper.tell.receivers.alertmanager import MOST_ACTIVE, Active, render
from tests.tell.support import LOG, finding, message, receiver

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


def test_one_alert() -> None:
    """The whole call, field by field; it ends later than it is sent, however late that is."""
    one = receiver("alertmanager", url="http://am:9093/prefix/", resolve_after="600s")
    request = render(message(), one, NOW, {"token": "t0ken"})
    assert request.url == "http://am:9093/prefix/api/v2/alerts"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] == "Bearer t0ken"
    assert json.loads(request.body) == [
        {
            "labels": {
                "alertname": "pod-exec",
                "severity": "high",
                "cluster": "prod",
                "node": "cp-1",
                "namespace": "prod-pay",
                "alert_id": f"{LOG}/7/3/pod-exec",
            },
            "annotations": {
                "summary": "Command run in a pod",
                "description": "jane ran a command in prod-pay/api-0",
                "user": "jane",
                "groups": "dev, system:authenticated",
                "verb": "create",
                "resource": "pods/exec",
                "namespace": "prod-pay",
                "name": "api-0",
                "code": "101",
                "source_ip": "203.0.113.9",
                "user_agent": "kubectl/v1.33.1",
                "uri": "/api/v1/namespaces/prod-pay/pods/api-0/exec?command=sh",
                "attack": "T1609",
                "audit_id": "5c1a2b3d-0000-4000-8000-123456789abc",
                "event_time": "2026-11-23T14:00:00.250000Z",
                "alert_id": f"{LOG}/7/3/pod-exec",
                "log": LOG,
                "seq": "7",
                "line": "3",
                "manifest_sha256": f"{7:064x}",
                "manifest_key": "prod/cp-1/0123456789abcdef/manifest/"
                "000000000007-aaaaaaaaaaaaaaaa.note",
            },
            "startsAt": "2026-11-23T14:00:01.500000+00:00",
            "endsAt": "2026-11-23T16:10:00+00:00",
        }
    ]


def test_no_label_is_empty() -> None:
    """Alertmanager drops empty labels; an alert without a namespace has none."""
    request = render(message(finding(what=What())), receiver("alertmanager"), NOW, {})
    assert "namespace" not in json.loads(request.body)[0]["labels"]


def test_what_is_active_is_said_again_until_it_ends() -> None:
    """With the same labels and the same end, so that it stays one alert."""
    one = receiver("alertmanager", resolve_after="600s")
    active = Active(one)
    first = render(message(), one, NOW, {})
    active.told(message(), NOW)
    active.told(message(finding(line=9)), NOW + timedelta(seconds=300))
    assert active.prune(NOW + timedelta(seconds=500))
    again = json.loads(active.again({}).body)
    assert again[0] == json.loads(first.body)[0]
    assert [alert["endsAt"][11:19] for alert in again] == ["16:10:00", "16:15:00"]
    assert active.prune(NOW + timedelta(seconds=700))
    assert len(json.loads(active.again({}).body)) == 1
    assert not active.prune(NOW + timedelta(seconds=1000))


def test_what_is_remembered_is_bounded() -> None:
    """The oldest are not said again; their end is known all the same."""
    active = Active(receiver("alertmanager"))
    active.told(message(*[finding(line=n) for n in range(MOST_ACTIVE + 9)]), NOW)
    assert len(active) == MOST_ACTIVE
