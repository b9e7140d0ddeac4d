"""The status in a terminal."""

from __future__ import annotations

from msgspec import structs

from shipper.health.status import Status
from shipper.health.text import render
from tests.health.samples import BAD, NOW, WELL


def test_it_shows_what_is_sealed_shipped_and_behind() -> None:
    """With ages, and the head to compare."""
    shown = render(WELL)
    assert f"head               1234 {WELL.head_sha256}\n" in shown
    assert "record 1234, 5.8 s ago; 1,234,000 lines, 3.5 GB since the start" in shown
    assert "unsealed lines, the oldest read 4.2 s ago; unshipped records: 1, the old" in shown
    assert "120 times with the API server's count: 0 missing, 0 gained, 0 failed" in shown
    assert "3 high, 5 shadow, 2 indeterminate since the start" in shown
    assert shown.endswith("\nAll is well\n")


def test_a_terminal_obeys_nothing() -> None:
    """What to do comes last; hostile text is one line without control characters."""
    shown = render(BAD)
    assert shown.replace("\n", "").isprintable()
    last = BAD.troubles[-1]
    assert shown.endswith(f"  {last.code}: {last.says}\n    -> {last.do}\n")
    assert (
        "alerts pager       told 0, held back 4, dead 1, pending records 2, trouble HTTP 503"
        in shown
    )


def test_a_daemon_before_its_first_record() -> None:
    """Nothing is sealed, and that is no number."""
    fresh = Status(
        version="1",
        log="",
        running=True,
        source="/audit.log",
        head_seq=-1,
        head_sha256="",
        sealed_at=None,
        sealed_seconds_ago=None,
        heartbeat_seconds=60.0,
        pending_records=0,
        oldest_pending_seconds=0.0,
        spool_bytes=0,
        spool_limit_bytes=1,
        store="file:///a",
        shipped_seq=-1,
    )
    shown = render(fresh)
    says = {line[:18].strip(): line[19:] for line in shown.splitlines()}
    assert (says["sealed"], says["shipped"]) == ("nothing yet", "nothing yet")
    assert says["behind"] == "nothing waits"
    assert shown.endswith("\nStarting\n")


def test_mistakes_in_lines_are_told_in_one() -> None:
    """What a reload says of a file with mistakes has a line for each."""
    trouble = structs.replace(BAD.troubles[0], says="2 mistakes:\n  a.yaml:1: x\n  a.yaml:2: y")
    shown = render(structs.replace(WELL, troubles=(trouble,)))
    assert f"  {trouble.code}: 2 mistakes: a.yaml:1: x a.yaml:2: y\n" in shown


def test_reloads_are_told_with_their_result() -> None:
    """When the rules were last read again, and what came of it."""
    changed = structs.replace(WELL, reload_result="ok", reloaded_at=NOW)
    assert "reload             ok, 2026-11-24T12:00:00Z\n" in render(changed)
