"""Slack: blocks within Slack's limits, and nothing in them that Slack would obey."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shipper.model import Finding, What, Where, Who
from shipper.tell.receivers.slack import SHOWN, escape, render
from tests.tell.support import LOG, finding, message, receiver

NOW = datetime(2026, 11, 23, tzinfo=UTC)
HOOK = "https://hooks.slack.com/services/T0/B0/s3cret"


def body_of(*findings: Finding) -> Any:
    request = render(message(*findings), receiver("slack"), NOW, {"url": HOOK})
    assert request.url == HOOK
    assert "Authorization" not in request.headers
    return json.loads(request.body)


def test_one_alert() -> None:
    """The whole message, field by field."""
    assert body_of() == {
        "text": "HIGH: Command run in a pod: jane ran a command in prod-pay/api-0",
        "blocks": [
            {
                "type": "header",
                "text": {"type": "plain_text", "text": "HIGH: Command run in a pod"},
            },
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "verbatim": True,
                    "text": "jane ran a command in prod-pay/api-0\n"
                    "user `jane`  verb `create`  resource `pods/exec`  namespace `prod-pay`"
                    "  name `api-0`  code `101`  source ip `203.0.113.9`",
                },
            },
            {
                "type": "context",
                "elements": [
                    {
                        "type": "mrkdwn",
                        "verbatim": True,
                        "text": "audit id `5c1a2b3d-0000-4000-8000-123456789abc`"
                        f"  log `{LOG}`  seq `7`  line `3`  manifest sha256 `{7:064x}`",
                    }
                ],
            },
        ],
    }


def test_many_alerts_are_shown_in_part() -> None:
    """The others are counted, and their last record named."""
    body = body_of(*[finding(line=n) for n in range(SHOWN + 12)])
    assert body["blocks"][-1]["text"]["text"] == "… and 12 more, the last in record 7 of the log."
    assert len([one for one in body["blocks"] if one["type"] == "context"]) == SHOWN


MARKUP = st.sampled_from(list("<>&`*_~!@#|\\ ax:/"))
HOSTILE = st.text(MARKUP | st.characters(codec="utf-8"), max_size=3000)
"""No lone surrogates, which JSON has not: `clean` writes them out before an alert is stored."""


@given(HOSTILE, st.integers(1, 9))
def test_hostile_text_obeys_nobody(text: str, count: int) -> None:
    """No mention, link or entity of the attacker's; every limit of Slack's is kept."""
    hostile = structs.replace(
        finding(),
        message=text,
        who=Who(user=text),
        what=What(resource=text[:99], namespace=text, name=text),
        where=Where(source_ip=text),
    )
    body = body_of(*[hostile] * count)
    shown = [body["text"]]
    for block in body["blocks"]:
        parts = [block["text"]] if "text" in block else block["elements"]
        assert all(part["type"] == "plain_text" or part["verbatim"] for part in parts)
        limit = 150 if block["type"] == "header" else 3000
        assert all(0 < len(part["text"]) <= limit for part in parts)
        shown += [part["text"] for part in parts if part["type"] == "mrkdwn"]
    assert len(body["blocks"]) <= 50
    assert sum(map(len, shown)) < 13_000
    for one in shown:
        assert "<" not in one
        assert ">" not in one
        assert one.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "").count("&") == 0


def test_a_value_does_not_leave_its_code() -> None:
    """A backtick in a value would end the code and begin markup."""
    body = body_of(finding(who=Who(user="a` *b* `c")))
    assert "user `a' *b* 'c`" in body["blocks"][1]["text"]["text"]


def test_escaping_fits_its_limit() -> None:
    """Also where each character takes five."""
    assert escape("a" * 100, 50) == "a" * 49 + "…"
    escaped = escape("&" * 100, 50)
    assert len(escaped) <= 50
    assert escaped.startswith("&amp;&amp;")
    assert escaped.endswith("…")
