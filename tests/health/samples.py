"""Statuses as tests need them: one that is well, and one where everything is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import structs

from shipper.health.judge import troubles
from shipper.health.status import FindingCount, Found, Receiver, Status
from shipper.model import Finding, Who

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOG = "audit.example.com/prod-eu-1/cp-1/0123456789abcdef"
HOSTILE = "</code><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202e&\"'"


def finding(**changes: Any) -> Finding:
    one = Finding(
        rule="pod-exec",
        title="Exec into a pod",
        severity="high",
        message="alice opened a shell in kube-system/etcd-cp-1",
        audit_id="a",
        line=0,
        time="2026-11-24T11:59:58.123456Z",
        who=Who(user="alice"),
    )
    return structs.replace(one, **changes)


WELL = Status(
    version="0.1.0",
    log=LOG,
    running=True,
    up_seconds=7000.0,
    ready=True,
    source="/var/log/kubernetes/audit/audit.log",
    events_read=1_234_567,
    bytes_read=3_456_789_012,
    oldest_unsealed_seconds=4.2,
    balances=120,
    head_seq=1234,
    head_sha256="3f" * 32,
    sealed_at=NOW,
    sealed_seconds_ago=5.8,
    heartbeat_seconds=60.0,
    events_sealed=1_234_000,
    bytes_sealed=3_456_000_000,
    records={"batch": 1200, "heartbeat": 30},
    pending_records=1,
    oldest_pending_seconds=5.8,
    spool_bytes=5_000_000,
    spool_limit_bytes=10 * 2**30,
    store="s3://audit-archive/k8s",
    shipped_seq=1233,
    shipped_at=NOW,
    events_shipped=1_233_000,
    bytes_shipped=3_455_000_000,
    uploaded_bytes=345_000_000,
    config_sha256="c0" * 32,
    rules_sha256="5e" * 32,
    rules=89,
    rules_seconds=12.5,
    rule_seconds={"pod-exec": 1.25, "new-rule": 0.5},
    findings=[
        FindingCount("pod-exec", "high", "match", "alert", 3),
        FindingCount("new-rule", "critical", "match", "shadow", 5),
        FindingCount("needs-body", "medium", "indeterminate", "alert", 2),
    ],
    last_findings=[Found(1200, finding())],
    alerts={"security": Receiver(told=3)},
)

_BAD = structs.replace(
    WELL,
    source_trouble="/var/log/kubernetes/audit/audit.log: Permission denied",
    sealed_seconds_ago=900.0,
    spool_full=True,
    spool_bytes=10 * 2**30,
    pending_records=8000,
    oldest_pending_seconds=90_000.0,
    store_state="refused",
    store_trouble="s3://audit-archive/k8s: AccessDenied (HTTP 403); mend the credentials",
    store_weak="events/… is locked in GOVERNANCE mode, COMPLIANCE is configured",
    store_errors={"AccessDenied": 12},
    reload_result="refused",
    reload_trouble=f"rules.d/mine.yaml: {HOSTILE}",
    reloaded_at=NOW,
    notices={"clock-step": 1},
    last_findings=[
        Found(
            1230,
            finding(rule=HOSTILE, severity="critical", message=HOSTILE * 5, who=Who(user=HOSTILE)),
        ),
        Found(1220, finding(severity="medium", message="x" * 3000)),
        *[Found(n, finding(severity="low")) for n in range(1210, 1200, -1)],
    ],
    alerts={
        "security": Receiver(told=3),
        "pager": Receiver(held_back=4, dead=1, failed=7, pending_records=2, trouble="HTTP 503"),
    },
)
BAD = structs.replace(_BAD, troubles=troubles(_BAD))
