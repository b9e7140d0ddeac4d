"""A look at the daemon: what its counts and its spool say; a disk that hangs holds up nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from shipper.health import observe
from shipper.health.observe import Observer
from shipper.pipeline.progress import Progress
from shipper.spool import record
from shipper.spool.spool import Spool
from tests.daemon import Place
from tests.pipeline.test_ship import Clock, fill


class Hanging(Spool):
    """A spool on a disk that does not answer until it is let go."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.released = threading.Event()

    def kept(self, seq: int) -> record.RecordFile:
        self.released.wait(20)
        return super().kept(seq)


def observer(place: Place, spool: Spool, progress: Progress | None = None) -> Observer:
    return Observer(place.config(), progress or Progress(), spool, clock=Clock(100))


def test_ages_of_what_waits(tmp_path: Path) -> None:
    """The oldest record's is its seal's, the oldest line's is its batch's."""
    place, spool = Place(tmp_path), Spool(tmp_path / "spool")
    fill(spool, 3)  # sealed at seconds 1, 2, 3 of the test's clock
    progress = Progress(batch_opened_ns=round(150e9))
    looking = observer(place, spool, progress)

    async def life() -> None:
        status = await looking.look()
        assert (status.pending_records, status.oldest_pending_seconds) == (3, 199.0)
        assert status.oldest_unsealed_seconds == 50.0
        assert not status.source_found
        spool.shipped(1)
        assert (await looking.look()).oldest_pending_seconds == 297.0
        spool.shipped(2)
        status = await looking.look()
        assert (status.pending_records, status.oldest_pending_seconds) == (0, 0.0)

    asyncio.run(life())


def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look comes back within its time, with what was known; so do those after it."""
    monkeypatch.setattr(observe, "DISK_SECONDS", 0.05)
    place, spool = Place(tmp_path), Hanging(tmp_path / "spool")
    fill(spool, 2)
    looking = observer(place, spool, Progress(events=7))

    async def life() -> None:
        began = time.monotonic()
        for _ in range(30):
            assert (await looking.look()).events_read == 7
        assert time.monotonic() - began < 10
        spool.released.set()
        await asyncio.sleep(0.2)
        assert (await looking.look()).oldest_pending_seconds > 0

    asyncio.run(life())


def test_a_clock_that_went_back_makes_no_negative_age(tmp_path: Path) -> None:
    """An age is never below zero."""
    place, clock = Place(tmp_path), Clock(1)
    sealed_at = clock.now().wall + timedelta(hours=1)
    looking = observer(place, Spool(tmp_path / "spool"), Progress(sealed_at=sealed_at))
    assert asyncio.run(looking.look()).sealed_seconds_ago == 0.0


def test_only_the_costliest_rules_are_shown(tmp_path: Path) -> None:
    """There may be thousands, and each would be a series."""
    progress = Progress()
    progress.rule_seconds.update({f"rule-{n}": n / 10 for n in range(1000)})
    looking = observer(Place(tmp_path), Spool(tmp_path / "spool"), progress)
    shown = asyncio.run(looking.look()).rule_seconds
    assert list(shown) == [f"rule-{n}" for n in range(999, 979, -1)]
