"""What is wrong is named, most urgent first, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from shipper.health.judge import troubles
from shipper.health.status import Receiver
from shipper.health.troubles import MEANINGS
from tests.health.samples import BAD, HOSTILE, WELL

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("not-running", {"running": False}),
    ("source-missing", {"source_found": False}),
    ("source-unreadable", {"source_trouble": "denied", "source_found": False}),
    ("events-missing", {"events_missing": 60}),
    ("events-gained", {"events_gained": 60}),
    ("events-failed", {"events_failed": 1}),
    ("apiserver-unreadable", {"apiserver_trouble": "HTTP 401"}),
    ("spool-refused", {"spool_trouble": "no space left", "sealed_seconds_ago": 900.0}),
    ("spool-full", {"spool_full": True}),
    ("not-sealing", {"sealed_seconds_ago": 121.0}),
    ("shipping-stopped", {"store_state": "stopped", "oldest_pending_seconds": 900.0}),
    ("store-refused", {"store_state": "refused", "oldest_pending_seconds": 900.0}),
    ("store-failing", {"store_state": "failing"}),
    ("store-weak", {"store_weak": "no lock"}),
    ("not-shipping", {"oldest_pending_seconds": 301.0}),
    ("reload-refused", {"reload_result": "refused", "reload_trouble": "a mistake"}),
    ("restart-needed", {"reload_result": "needs-restart"}),
    ("receiver-failing", {"alerts": {"pager": Receiver(trouble="HTTP 503")}}),
]

WELL_ALL_THE_SAME: list[dict[str, Any]] = [
    {},
    {"running": None},
    {"sealed_seconds_ago": 119.0},
    {"sealed_seconds_ago": 90_000.0, "up_seconds": 5.0},
    {"sealed_seconds_ago": 900.0, "stopping": True},
    {"sealed_seconds_ago": None, "sealed_at": None, "head_seq": -1},
    {"oldest_pending_seconds": 299.0, "pending_records": 900},
    {"reload_result": "ok"},
]


@pytest.mark.parametrize(("code", "changes"), WRONG, ids=[code for code, _ in WRONG])
def test_what_is_wrong_is_named(code: str, changes: dict[str, Any]) -> None:
    """Each state of the daemon that a person must do something about has one name."""
    assert [one.code for one in troubles(structs.replace(WELL, **changes))] == [code]


def test_every_trouble_is_tried() -> None:
    """The table has no code that nothing leads to."""
    assert {code for code, _ in WRONG} == set(MEANINGS)


@pytest.mark.parametrize("changes", WELL_ALL_THE_SAME)
def test_nobody_is_called_for_nothing(changes: dict[str, Any]) -> None:
    """A quiet minute, a restart after a long time, a stop, a short backlog: all is well."""
    assert troubles(structs.replace(WELL, **changes)) == []


def test_the_most_urgent_comes_first() -> None:
    """In the order of the table: what keeps events from being read before what delays alerts."""
    codes = [one.code for one in BAD.troubles]
    assert codes == sorted(codes, key=list(MEANINGS).index)
    assert codes[0] == "source-unreadable"
    assert codes[-1] == "receiver-failing"


def test_details_are_harmless() -> None:
    """A terminal obeys nothing of what a file or an answer says, and its length is bounded."""
    changed = structs.replace(WELL, store_state="failing", store_trouble=HOSTILE * 1000)
    (one,) = troubles(changed)
    assert "\x1b" not in one.says
    assert "\u202e" not in one.says
    assert len(one.says) < 1200
