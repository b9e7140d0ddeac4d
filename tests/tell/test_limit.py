"""How many messages a minute, and what is told of the others."""

from __future__ import annotations

from shipper.tell.alert import Alert
from shipper.tell.limit import HELD_BACK, Held, Limit
from tests.tell.support import LOG, evidence, finding


def test_a_minute_takes_so_many() -> None:
    """The minute begins with its first message; then as many may go again."""
    limit = Limit(2)
    assert [limit.allows(now) for now in (100, 130, 131, 159.9)] == [True, True, False, False]
    assert limit.wait_seconds(131) == 29
    assert [limit.allows(now) for now in (160, 161, 162)] == [True, True, False]


def test_no_limit_is_no_limit() -> None:
    """0 takes everything."""
    limit = Limit(0)
    assert all(limit.allows(0) for _ in range(1000))


def test_what_was_held_back_is_told_by_rule() -> None:
    """As one alert, as severe as the worst of them, with the last one's evidence."""
    held = Held()
    assert held.notice() is None
    for seq, rule, severity in ((3, "a", "low"), (4, "b", "high"), (9, "a", "medium")):
        found = finding(rule, severity=severity, line=seq)  # type: ignore[arg-type]
        held = held.plus([Alert(evidence(seq), found)])
    notice = held.notice()
    assert notice is not None
    assert notice.id == f"{LOG}/9/9/{HELD_BACK}"
    assert notice.severity == "high"
    assert notice.alerts[0].finding.message == (
        "3 alerts were held back: 2 of a, 1 of b; records 3 to 9. Their findings are sealed there."
    )


def test_thousands_of_rules_are_counted_in_bounded_space() -> None:
    """The text names the most frequent ones; no count is lost."""
    held = Held()
    for n in range(5000):
        held = held.plus([Alert(evidence(), finding(f"rule-{n}"))])
    notice = held.notice()
    assert notice is not None
    assert len(held) == 5000
    assert len(held.by_rule) < 200
    assert len(notice.alerts[0].finding.message) < 500
