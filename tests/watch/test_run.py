"""A watch in rounds: it keeps the head file, writes metrics, and calls once for what is wrong."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from shipper.clock import SystemClock
from shipper.disk import Disk
from shipper.errors import ConfigError, ShipperError
from shipper.model import Timestamp
from shipper.receivers import Receiver
from shipper.seal.signer import FileSigner
from shipper.verify.request import Request, Retention
from shipper.watch.round import Watched
from shipper.watch.run import Watch
from tests.faults import Crash, FaultyDisk
from tests.tell.support import Said, Server, receivers, serving
from tests.verify.archive import BEGIN, Log, keys_of, objects, small
from tests.verify.versions import YEAR, Bucket

STEPS = 17
"""Durable steps of a round that calls somebody, until they were told."""


class Shifted(SystemClock):
    """The test's own day, moved on by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = BEGIN + timedelta(minutes=2)

    def now(self) -> Timestamp:
        return structs.replace(super().now(), wall=self.wall)


class Place:
    """A watch's directory, and the archive that it looks at."""

    def __init__(self, root: Path, log: Log | None = None) -> None:
        self.root = root
        self.log = log or small()
        self.clock = Shifted()
        self.said = Said()
        self.textfile = root / "watch.prom"

    def watch(self, *told: Receiver, disk: Disk | None = None, **changes: Any) -> Watch:
        def ask(_: datetime) -> Request:
            return Request(max_age_seconds=300.0)

        head = self.root / "state" / "heads.json"
        signer: FileSigner = self.log.signer
        watched = Watched(lambda: self.log.store, [signer.key], ask, head)
        return Watch(
            watched._replace(**changes),
            told,
            textfile=self.textfile,
            clock=self.clock,
            logger=self.said.logger,
            disk=disk,
        )

    def round(self, *told: Receiver) -> int:
        return asyncio.run(self.watch(*told).run(None))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def soc(server: Server) -> Receiver:
    return receivers({"type": "webhook", "name": "soc", "url": server.url, "min_severity": "info"})[
        0
    ]


def rules(server: Server) -> list[str]:
    return [one["finding"]["rule"] for got in server.got for one in got.json["data"]["alerts"]]


def test_a_good_archive_calls_nobody(place: Place) -> None:
    """Code 0, a head file, metrics that everybody may read, and one line a round."""
    assert place.round() == 0
    assert place.round() == 0
    lines = place.said.lines("watch_round")
    assert [line["new_manifests"] for line in lines] == [8, 0]
    assert place.said.lines("watch_alarm") == []
    assert place.textfile.stat().st_mode & 0o777 == 0o644
    assert "audit_shipper_watch_exit_code 0.0\n" in place.textfile.read_text()
    beside = {path.name for path in (place.root / "state").iterdir()}
    assert beside == {"heads.json", "heads.json.alarms", "heads.json.lock"}


def test_a_log_that_falls_silent_is_told_once(place: Place) -> None:
    """However many rounds find it, over restarts too; and again the next day."""

    async def life() -> None:
        async with serving() as server:
            assert await place.watch(soc(server)).run(None) == 0
            place.clock.wall += timedelta(hours=1)
            for _ in range(2):
                assert await place.watch(soc(server)).run(None) == 5
            assert rules(server) == ["audit-shipper.log-silent"]
            place.clock.wall += timedelta(days=1)
            await place.watch(soc(server)).run(None)
            assert rules(server) == ["audit-shipper.log-silent"] * 2
            ids = {one["id"] for got in server.got for one in got.json["data"]["alerts"]}
            assert len(ids) == 2

    asyncio.run(life())


def test_a_log_that_shrinks_is_told_and_its_head_is_kept(place: Place) -> None:
    """What was seen is not forgotten because somebody took it away."""

    async def life() -> None:
        async with serving() as server:
            await place.watch(soc(server)).run(None)
            head = (place.root / "state" / "heads.json").read_bytes()
            for kind in ("manifest/", "checkpoint/"):
                del objects(place.log)[keys_of(place.log, kind)[-1]]
            assert await place.watch(soc(server)).run(None) == 4
            assert rules(server) == ["audit-shipper.archive-shrunk"]
            assert (place.root / "state" / "heads.json").read_bytes() == head

    asyncio.run(life())


def test_a_place_that_is_no_text_does_not_end_the_watch(place: Place) -> None:
    """A file name of the attacker's is told as text; a directory store has any bytes in names."""

    async def life() -> None:
        async with serving() as server:
            objects(place.log)["prod/\udcff/abc/log.note"] = b""
            assert await place.watch(soc(server)).run(None) == 1
            assert "audit-shipper.archive-changed" in rules(server)
            evidence = server.got[0].json["data"]["alerts"][0]["evidence"]
            assert evidence["log"] == "prod/\\udcff/abc/"

    asyncio.run(life())


@pytest.mark.parametrize("step", range(STEPS))
def test_a_lost_lock_is_told_whenever_the_round_ends(place: Place, step: int) -> None:
    """A lock is looked at once: a round that is killed must not have seen it and told nobody."""

    bucket = Bucket(place.log)
    bucket.locks[keys_of(place.log, "manifest/")[0], 1] = None
    asked = Request(retention=Retention(YEAR, "COMPLIANCE"))
    locks: dict[str, Any] = {"open_store": lambda: bucket, "ask": lambda _: asked}

    async def life() -> None:
        async with serving() as server:
            disk = FaultyDisk(step, "before")
            with suppress(Crash):
                await place.watch(soc(server), disk=disk, **locks).run(None)
            assert disk.reached
            await place.watch(soc(server), **locks).run(None)
            assert "audit-shipper.lock-lost" in rules(server)

    asyncio.run(life())


def test_who_is_away_is_told_by_the_next_round(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good archive with somebody who was not told is no 0; nothing is lost meanwhile."""
    monkeypatch.setattr("shipper.watch.run.DRAIN_SECONDS", 0.5)

    async def life() -> None:
        async with serving(503) as server:
            place.clock.wall += timedelta(hours=1)
            assert await place.watch(soc(server)).run(None) == 5
            assert len(server.got) == 1
            place.clock.wall -= timedelta(hours=1)
            assert await place.watch(soc(server)).run(None) == 0
            assert rules(server) == ["audit-shipper.log-silent"] * 2

    asyncio.run(life())


def test_a_watch_goes_on_until_told_to_stop(place: Place) -> None:
    """Rounds one after the other; code 0, since it was told to."""

    async def life() -> None:
        watching = place.watch()
        running = asyncio.create_task(watching.run(0.01))
        async with asyncio.timeout(20):
            while len(place.said.lines("watch_round")) < 3:  # noqa: ASYNC110 a log rings no bell
                await asyncio.sleep(0.01)
        watching.stop()
        assert await asyncio.wait_for(running, 10) == 0

    asyncio.run(life())


def test_one_watch_keeps_one_head_file(place: Place) -> None:
    """A second one beside it ends with an error, and spoils nothing."""

    async def life() -> None:
        first = place.watch()
        running = asyncio.create_task(first.run(60))
        while first.last is None:  # noqa: ASYNC110 a round rings no bell
            await asyncio.sleep(0.01)
        with pytest.raises(ShipperError, match="another watch keeps"):
            await place.watch().run(None)
        first.stop()
        await running

    asyncio.run(life())


def test_a_watch_that_cannot_watch_ends(place: Place) -> None:
    """A damaged head file needs a person: an exit code, not a quiet daemon."""
    place.round()
    (place.root / "state" / "heads.json").write_text("damaged")
    with pytest.raises(ConfigError, match="not a readable head file"):
        asyncio.run(place.watch().run(0.01))


def test_metrics_that_cannot_be_written_stop_no_call(place: Place) -> None:
    """It is logged; the round counts."""
    place.textfile.mkdir()
    assert place.round() == 0
    assert len(place.said.lines("watch_textfile_failed")) == 1
