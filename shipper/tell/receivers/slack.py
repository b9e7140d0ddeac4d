"""Slack, by an incoming webhook: blocks, and a line of text for notifications.

Text from findings is escaped (https://api.slack.com/reference/surfaces/formatting), `verbatim` so
that no name or address in it becomes a link or a mention, and without backticks inside code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shipper.receivers import Slack
from shipper.tell.alert import Alert, Message, facts
from shipper.tell.request import Request, Secrets, json_post
from shipper.text import cut

SHOWN = 5
"""Alerts that are shown whole: a message may hold some 13,000 characters in all."""

_HEADER, _TEXT, _FACT = 150, 700, 100
_WHO = ("user", "impersonated", "verb", "resource", "namespace", "name", "code", "source_ip")
_PROOF = ("audit_id", "log", "seq", "line", "manifest_sha256")


def render(message: Message, receiver: Slack, now: datetime, secrets: Secrets) -> Request:
    """The message."""
    shown, more = message.alerts[:SHOWN], len(message.alerts) - SHOWN
    headline = f"{message.severity.upper()}: {message.title}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(headline, _HEADER)}}
    ]
    for alert in shown:
        blocks += _alert(alert)
    if more > 0:
        last = message.alerts[-1].evidence
        text = f"… and {more} more, the last in record {last.seq} of the log."
        blocks.append({"type": "section", "text": _text(text)})
    first = message.alerts[0].finding
    text = escape(f"{headline}: {first.message}", _TEXT)
    return json_post(secrets["url"], {"text": text, "blocks": blocks}, secrets={})


def escape(text: str, limit: int) -> str:
    """`text` for mrkdwn, at most `limit` characters once it is escaped."""
    kept = cut(text, limit)
    while len(escaped := _entities(kept)) > limit:
        kept = cut(kept, len(kept) * 3 // 4)
    return escaped


def _entities(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _alert(alert: Alert) -> list[dict[str, Any]]:
    known = facts(alert)
    message = alert.finding.message.strip() or alert.finding.rule
    lines = [escape(message, _TEXT), _facts(known, _WHO)]
    return [
        {"type": "section", "text": _text("\n".join(filter(None, lines)))},
        {"type": "context", "elements": [_text(_facts(known, _PROOF))]},
    ]


def _facts(known: Any, names: tuple[str, ...]) -> str:
    return "  ".join(
        f"{name.replace('_', ' ')} `{escape(known[name].replace('`', chr(39)), _FACT)}`"
        for name in names
        if name in known
    )


def _text(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}
