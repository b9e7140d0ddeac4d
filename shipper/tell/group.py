"""Which alerts go out together, and when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from shipper.tell.alert import Alert, Message

MOST_TOGETHER = 50
"""Alerts in one message; every receiver takes the size of that."""

GroupBy = Literal["none", "rule", "all"]


def messages(alerts: Sequence[Alert], group_by: GroupBy) -> list[Message]:
    """The alerts as messages, in the order of each message's first alert."""
    if group_by == "none":
        return [Message((alert,)) for alert in alerts]
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.finding.rule if group_by == "rule" else "", []).append(alert)
    return [
        Message(tuple(group[n : n + MOST_TOGETHER]))
        for group in groups.values()
        for n in range(0, len(group), MOST_TOGETHER)
    ]


def rest_seconds(alerts: Sequence[Alert], *, waited: float, window: float) -> float:
    """How much longer to wait for more, `waited` seconds after the first of them came."""
    if any(alert.finding.severity == "critical" for alert in alerts):
        return 0.0
    return max(0.0, window - waited)
