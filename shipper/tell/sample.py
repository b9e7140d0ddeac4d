"""A sample alert for `audit-shipper alerts test`, marked as what it is."""

from __future__ import annotations

from datetime import datetime

from shipper.model import Evidence, Finding, What, Where, Who
from shipper.tell.alert import Alert, Message

RULE = "audit-shipper.test"


def sample(log: str, now: datetime) -> Message:
    """One alert of severity info, without evidence, whose id is new every second."""
    evidence = Evidence(
        log=log,
        seq=0,
        manifest_sha256="0" * 64,
        manifest_key="none, this is a test",
        sealed_at=now,
    )
    finding = Finding(
        rule=RULE,
        title="TEST of alerting",
        severity="info",
        message="This is a test, sent by `audit-shipper alerts test`. Nothing has happened.",
        audit_id="00000000-0000-0000-0000-000000000000",
        line=int(now.timestamp()),
        time=now.isoformat(),
        who=Who(user="nobody"),
        what=What(verb="test"),
        where=Where(source_ip="127.0.0.1"),
    )
    return Message((Alert(evidence, finding),))
