"""A sealed notice that somebody must be told of, as a finding: receivers and the page know those.

It is not sealed as one: the notice itself is the evidence. Pure.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from shipper.model import Finding, Notice, Reason, Severity


class _Kind(NamedTuple):
    title: str
    severity: Severity


KINDS: dict[Reason, _Kind] = {
    "gap": _Kind("Events are missing from the audit log", "critical"),
    "source-edited": _Kind("The audit log was changed", "critical"),
    "source-truncated": _Kind("The audit log was truncated", "high"),
    "source-unlinked": _Kind("The audit log was deleted", "high"),
}


def remark(notice: Notice | None, now: datetime) -> list[Finding]:
    """What there is to tell of a notice; nothing of those that are about the daemon itself."""
    if notice is None or notice.reason not in KINDS:
        return []
    kind = KINDS[notice.reason]
    return [
        Finding(
            rule=f"audit-shipper.{notice.reason}",
            title=kind.title,
            severity=kind.severity,
            message=notice.detail,
            audit_id="",
            line=0,
            time=now.isoformat(),
        )
    ]
