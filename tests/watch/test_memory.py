"""Somebody is called once for what lasts, again every day, and for a silent store not at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shipper.disk import Disk
from shipper.errors import ConfigError
from shipper.watch import memory
from shipper.watch.alarms import FAILS, UNKNOWN, Alarm, Kind
from shipper.watch.memory import Memory, step

BEGIN = datetime(2026, 11, 24, tzinfo=UTC)


def alarm(kind: Kind = FAILS["freshness"], log: str = "a/b/c/d") -> Alarm:
    return Alarm(log, kind, "as a test", 7, "0" * 64, "")


class Days:
    """Rounds at moments that a test chooses."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.over: list[str] = []

    def round(self, *found: Alarm, **after: float) -> int:
        """How many are called for, so long after the beginning."""
        due = step(self.memory, found, BEGIN + timedelta(**after))
        self.memory = due.memory
        self.over = [one.rule for one in due.over]
        return len(due.alarms)


def test_what_lasts_is_told_once_a_day() -> None:
    """And anew once it was over."""
    days = Days()
    told = [days.round(alarm(), minutes=minutes) for minutes in (0, 5, 10)]
    assert told == [1, 0, 0]
    assert days.round(alarm(), hours=24) == 1
    assert days.round(alarm(), hours=25) == 0
    assert (days.round(hours=26), days.over) == (0, ["audit-shipper.log-silent"])
    assert days.round(alarm(), hours=27) == 1
    assert days.memory.number == 3


def test_each_log_and_each_verdict_is_an_alarm() -> None:
    """One that lasts hides no other."""
    days = Days()
    assert days.round(alarm()) == 1
    assert days.round(alarm(), alarm(log="a/b/c/e"), alarm(FAILS["integrity"]), minutes=5) == 2


def test_a_store_that_is_away_for_a_while_calls_nobody() -> None:
    """A quarter of an hour in a row."""
    days = Days()
    assert days.round(alarm(UNKNOWN)) == 0
    assert days.round(alarm(UNKNOWN), minutes=14) == 0
    assert days.round(minutes=15) == 0
    assert days.round(alarm(UNKNOWN), minutes=20) == 0
    assert days.round(alarm(UNKNOWN), minutes=35) == 1
    assert days.round(alarm(UNKNOWN), minutes=40) == 0


def test_a_weak_lock_is_remembered_for_a_day() -> None:
    """The next round looks at what is new alone, and would take it for mended."""
    days, weak = Days(), alarm(FAILS["retention"])
    assert days.round(weak) == 1
    assert days.round(hours=23) == 0
    assert (days.over, len(days.memory.lasting)) == ([], 1)
    days.round(hours=25)
    assert (days.over, days.memory.lasting) == (["audit-shipper.lock-lost"], {})


def test_it_survives_in_a_file(tmp_path: Path) -> None:
    """What was saved is loaded; no file is an empty memory."""
    path = tmp_path / "heads.json.alarms"
    assert memory.load(path) == Memory()
    days = Days()
    days.round(alarm())
    memory.save(path, days.memory, Disk())
    assert memory.load(path) == days.memory
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("body", [b"", b"{}x", b'{"version":2}', b'{"number":-1}', b"[" * 100_000])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, body: bytes) -> None:
    """With what to do."""
    path = tmp_path / "alarms"
    path.write_bytes(body)
    with pytest.raises(ConfigError, match="remove it"):
        memory.load(path)


def test_a_place_that_takes_nothing_is_one_clear_error(tmp_path: Path) -> None:
    """For reading and for writing."""
    with pytest.raises(ConfigError, match="cannot be read"):
        memory.load(tmp_path)
    with pytest.raises(ConfigError, match="cannot be written"):
        memory.save(tmp_path / "none" / "alarms", Memory(), Disk())
