"""The queue keeps what was put, in order, through crashes and refusals, and tells nothing false."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import get_args

import pytest

from shipper.errors import SpoolError
from shipper.tell import outbox as queue
from shipper.tell.outbox import Cursor, Outbox, inspect
from tests.faults import Crash, Fault, FaultyDisk
from tests.tell.support import Said, alerts, finding


def open_outbox(
    spool: Path, *receivers: str, newest: int | None = None, disk: FaultyDisk | None = None
) -> Outbox:
    return Outbox(spool, receivers or ("soc",), newest=newest, logger=Said().logger, disk=disk)


def waiting(outbox: Outbox, *, until: int) -> list[int]:
    """The records from the receiver's place on."""
    found, seq = [], outbox.next(outbox.cursor("soc").seq, until=until)
    while seq is not None:
        found.append(seq)
        seq = outbox.next(seq + 1, until=until)
    return found


def test_what_was_put_comes_back_after_a_restart(tmp_path: Path) -> None:
    """In order, whole, to the next process."""
    first = open_outbox(tmp_path)
    for seq in (0, 3):
        first.put(alerts(seq, finding(line=seq), finding(line=9)))
    again = open_outbox(tmp_path, newest=3)
    assert waiting(again, until=3) == [0, 3]
    loaded = again.load(3)
    assert loaded is not None
    assert [one.line for one in loaded.findings] == [3, 9]


def test_nothing_is_handed_out_before_its_record_is_there(tmp_path: Path) -> None:
    """`until` is the newest committed record."""
    outbox = open_outbox(tmp_path)
    outbox.put(alerts(5))
    assert outbox.next(0, until=4) is None
    assert outbox.next(0, until=5) == 5


def test_a_record_that_never_was_is_never_told(tmp_path: Path) -> None:
    """What was put for it goes at the next start, though a later record may bear its number."""
    open_outbox(tmp_path).put(alerts(5))
    assert waiting(open_outbox(tmp_path, newest=4), until=4) == []
    assert waiting(open_outbox(tmp_path, newest=5), until=5) == []


def test_a_removal_survives_a_power_loss(tmp_path: Path) -> None:
    """Were it undone, the next record of that number would be told with false evidence."""
    for step in range(20):
        place = tmp_path / str(step)
        open_outbox(place).put(alerts(5))
        disk = FaultyDisk(step, "power-loss")
        try:
            outbox = open_outbox(place, newest=4, disk=disk)
        except Crash:
            continue  # the next start removes it
        with suppress(Crash):
            outbox.put(alerts(7))
        assert not (place / "alerts" / "000000000005.alerts").exists()
        if not disk.dead:
            return
    raise AssertionError("the power never held")


def test_putting_again_replaces(tmp_path: Path) -> None:
    """A record that could not be committed is put again, maybe with other alerts."""
    outbox = open_outbox(tmp_path)
    outbox.put(alerts(0, finding("first")))
    outbox.put(alerts(0, finding("second")))
    loaded = outbox.load(0)
    assert loaded is not None
    assert [one.rule for one in loaded.findings] == ["second"]
    assert waiting(outbox, until=0) == [0]


def test_each_receiver_has_its_place(tmp_path: Path) -> None:
    """What all have passed is removed, and nothing before."""
    outbox = open_outbox(tmp_path, "soc", "chat")
    for seq in range(3):
        outbox.put(alerts(seq))
    outbox.advance("soc", Cursor(seq=3, told=3))
    assert len(list((tmp_path / "alerts").glob("*.alerts"))) == 3
    outbox.advance("chat", Cursor(seq=1, index=1))
    again = open_outbox(tmp_path, "soc", "chat", newest=2)
    assert (again.cursor("soc"), again.cursor("chat")) == (
        Cursor(seq=3, told=3),
        Cursor(seq=1, index=1),
    )
    assert again.load(0) is None
    assert again.load(1) is not None


def test_a_new_receiver_begins_with_the_next_record(tmp_path: Path) -> None:
    """It is not told what was sealed before it was configured; a removed one leaves nothing."""
    outbox = open_outbox(tmp_path)
    outbox.put(alerts(0))
    again = open_outbox(tmp_path, "soc", "chat", newest=0)
    assert again.cursor("chat") == Cursor(seq=1)
    assert again.cursor("soc") == Cursor(seq=0)
    open_outbox(tmp_path, "chat", newest=0)
    assert [path.name for path in (tmp_path / "alerts").iterdir()] == ["chat.cursor"]


def test_a_log_that_begins_anew_is_told_from_its_start(tmp_path: Path) -> None:
    """Where the spool's records were removed and the cursors were left; the counts go on."""
    outbox = open_outbox(tmp_path, newest=499)
    outbox.advance("soc", Cursor(seq=500, told=7))
    anew = open_outbox(tmp_path, newest=None)
    assert anew.cursor("soc") == Cursor(seq=0, told=7)
    anew.put(alerts(0))
    assert waiting(open_outbox(tmp_path, newest=0), until=0) == [0]


def test_the_oldest_are_dropped_when_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a count and an error for each; the newest is always kept."""
    monkeypatch.setattr(queue, "MOST_BYTES", 3000)
    said = Said()
    outbox = Outbox(tmp_path, ["soc"], newest=None, logger=said.logger)
    for seq in range(6):
        outbox.put(alerts(seq))
    kept = waiting(outbox, until=9)
    assert 0 < len(kept) < 6
    assert kept[-1] == 5
    assert outbox.dropped == 6 - len(kept)
    assert [line["seq"] for line in said.lines("alerts_dropped")] == list(range(outbox.dropped))
    assert sum(path.stat().st_size for path in (tmp_path / "alerts").glob("*.alerts")) <= 3000


def test_a_disk_that_refuses_leaves_them_in_memory(tmp_path: Path) -> None:
    """They are told by this process, though not by the next; the next `put` is durable again."""
    for step in range(2):
        place = tmp_path / str(step)
        begun = FaultyDisk(10_000, "before")
        open_outbox(place, disk=begun)
        steps = FaultyDisk(10_000, "before")
        open_outbox(place, disk=steps)
        outbox = open_outbox(place, disk=FaultyDisk(steps.steps + step, "refused"))
        with pytest.raises(OSError, match="Input/output"):
            outbox.put(alerts(0))
        assert outbox.load(0) is not None
        outbox.put(alerts(1))
        assert waiting(outbox, until=1) == [0, 1]
        assert 1 in waiting(open_outbox(place, newest=1), until=1)


@pytest.mark.parametrize("name", ["000000000000.alerts", "soc.cursor"])
def test_what_the_disk_has_damaged_is_reported(tmp_path: Path, name: str) -> None:
    """Damaged alerts are passed over; with a damaged cursor all is told again."""
    open_outbox(tmp_path).put(alerts(0))
    (tmp_path / "alerts" / name).write_bytes(b'{"seq":')
    said = Said()
    outbox = Outbox(tmp_path, ["soc"], newest=0, logger=said.logger)
    loaded = outbox.load(0)
    assert (loaded is None) == name.endswith(".alerts")
    assert waiting(outbox, until=0) == [0]
    assert said.lines("alerts_damaged")


def test_how_each_receiver_stands_is_seen_from_outside(tmp_path: Path) -> None:
    """Without a lock: what waits, what was told, what is wrong."""
    assert inspect(tmp_path) == []
    outbox = open_outbox(tmp_path, "soc", "chat")
    for seq in range(3):
        outbox.put(alerts(seq))
    outbox.advance("soc", Cursor(seq=2, told=2))
    outbox.trouble("chat", "it burns")
    chat, soc = inspect(tmp_path)
    assert (chat.name, chat.records, chat.trouble) == ("chat", 3, "it burns")
    assert (soc.name, soc.records, soc.cursor.told, soc.trouble) == ("soc", 1, 2, "")
    outbox.trouble("chat", "")
    assert inspect(tmp_path)[0].trouble == ""


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Findings are private: 0700 and 0600."""
    open_outbox(tmp_path).put(alerts(0))
    assert (tmp_path / "alerts").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "alerts").iterdir())


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    """A file in its way is reported with the path."""
    (tmp_path / "alerts").write_text("")
    with pytest.raises(SpoolError, match=r"alerts in .* cannot be used"):
        open_outbox(tmp_path)


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_step_may_fail(tmp_path: Path, fault: Fault) -> None:
    """After a fault at any step, what was put and committed is there and what was passed is not."""
    step = 0
    while True:
        place = tmp_path / f"{fault}-{step}"
        place.mkdir()
        disk = FaultyDisk(step, fault)
        put: list[int] = []
        passing: list[int] = []
        passed: list[int] = []
        try:
            _faulty_life(place, disk, put, passing, passed)
        except (Crash, SpoolError):
            disk.dead = True
        if not disk.reached:
            break
        newest = put[-1] if put else None
        outbox = open_outbox(place, newest=newest)
        found = waiting(outbox, until=99)
        assert set(found) >= {seq for seq in put if seq >= max(passing, default=0)}
        assert set(found) <= {seq for seq in put if seq >= max(passed, default=0)}
        assert all(outbox.load(seq) is not None for seq in found)
        assert not list((place / "alerts").glob(".*.tmp"))
        step += 1
    assert step > 15


def _faulty_life(
    place: Path, disk: FaultyDisk, put: list[int], passing: list[int], passed: list[int]
) -> None:
    outbox = open_outbox(place, disk=disk)
    for seq in range(4):
        _twice(lambda seq=seq: outbox.put(alerts(seq)))  # type: ignore[misc]
        put.append(seq)
        if seq % 2:
            passing.append(seq)
            _twice(lambda seq=seq: outbox.advance("soc", Cursor(seq=seq)))  # type: ignore[misc]
            passed.append(seq)


def _twice(call: Callable[[], None]) -> None:
    """As the daemon does: what the disk refused is tried again."""
    try:
        call()
    except OSError:
        call()
