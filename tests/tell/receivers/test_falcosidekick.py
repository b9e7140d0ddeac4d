"""Falcosidekick: an event as Falco sends it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from shipper.tell.receivers.falcosidekick import render
from tests.tell.support import LOG, finding, message, receiver

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def test_one_alert() -> None:
    """The whole event, field by field; all output fields are texts."""
    request = render(message(), receiver("falcosidekick"), NOW, {})
    assert request.url == "http://falcosidekick:2801/"
    assert json.loads(request.body) == {
        "output": "jane ran a command in prod-pay/api-0",
        "priority": "Error",
        "rule": "Command run in a pod",
        "time": "2026-11-23T14:00:00.250000+00:00",
        "source": "k8s_audit",
        "tags": ["audit-shipper", "pod-exec", "T1609"],
        "hostname": "cp-1",
        "output_fields": {
            "ka.user.name": "jane",
            "ka.user.groups": "dev, system:authenticated",
            "ka.verb": "create",
            "ka.target.resource": "pods/exec",
            "ka.target.namespace": "prod-pay",
            "ka.target.name": "api-0",
            "ka.response.code": "101",
            "ka.sourceips": "203.0.113.9",
            "ka.useragent": "kubectl/v1.33.1",
            "ka.uri": "/api/v1/namespaces/prod-pay/pods/api-0/exec?command=sh",
            "ka.auditid": "5c1a2b3d-0000-4000-8000-123456789abc",
            "audit_shipper.attack": "T1609",
            "audit_shipper.event_time": "2026-11-23T14:00:00.250000Z",
            "audit_shipper.alert_id": f"{LOG}/7/3/pod-exec",
            "audit_shipper.log": LOG,
            "audit_shipper.seq": "7",
            "audit_shipper.line": "3",
            "audit_shipper.manifest_sha256": f"{7:064x}",
            "audit_shipper.manifest_key": "prod/cp-1/0123456789abcdef/manifest/"
            "000000000007-aaaaaaaaaaaaaaaa.note",
        },
    }


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("info", "Informational"),
        ("low", "Notice"),
        ("medium", "Warning"),
        ("high", "Error"),
        ("critical", "Critical"),
    ],
)
def test_priorities(ours: str, theirs: str) -> None:
    """Falco's names, which its schema knows."""
    found = finding(severity=ours)  # type: ignore[arg-type]
    request = render(message(found), receiver("falcosidekick"), NOW, {})
    assert json.loads(request.body)["priority"] == theirs


def test_an_event_always_has_an_output() -> None:
    """Falcosidekick refuses one without."""
    request = render(message(finding(message="")), receiver("falcosidekick"), NOW, {})
    assert json.loads(request.body)["output"] == "Command run in a pod"
