"""Which alerts go out together, and when."""

from __future__ import annotations

import pytest

from shipper.tell.alert import Alert
from shipper.tell.group import MOST_TOGETHER, GroupBy, messages, rest_seconds
from tests.tell.support import evidence, finding


def some(*rules: str) -> list[Alert]:
    return [Alert(evidence(), finding(rule, line=n)) for n, rule in enumerate(rules)]


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [("none", ["0", "1", "2", "3"]), ("rule", ["02", "13"]), ("all", ["0123"])],
)
def test_groups_keep_the_order(group_by: GroupBy, expected: list[str]) -> None:
    """Within a message, and of messages by their first alert."""
    made = messages(some("a", "b", "a", "b"), group_by)
    assert ["".join(str(one.finding.line) for one in each.alerts) for each in made] == expected


def test_a_message_has_a_size() -> None:
    """Too many for one message become several, and none is lost."""
    made = messages(some(*["a"] * (2 * MOST_TOGETHER + 1)), "rule")
    assert [len(one.alerts) for one in made] == [MOST_TOGETHER, MOST_TOGETHER, 1]


def test_nobody_waits_with_a_critical_alert() -> None:
    """The window is for the others."""
    calm = some("a")
    assert rest_seconds(calm, waited=0.5, window=2) == 1.5
    assert rest_seconds(calm, waited=3, window=2) == 0
    urgent = [*calm, Alert(evidence(), finding(severity="critical"))]
    assert rest_seconds(urgent, waited=0, window=2) == 0
