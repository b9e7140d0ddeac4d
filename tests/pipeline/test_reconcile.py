"""The daemon asks the API server, and what was not read is sealed, told and shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET, structs

from shipper.app import App
from shipper.config import Config, Duration
from shipper.logs import make_logger
from shipper.pipeline import reconcile
from shipper.pipeline.balance import LASTS
from shipper.pipeline.progress import Progress
from shipper.seal import note
from shipper.seal.manifest import decode_manifest
from tests.audit.apiserver import ApiServer, serving
from tests.daemon import Place, SteadyClock


class Running:
    """A daemon in this process, which asks its API server many times a second."""

    def __init__(self, place: Place, server: ApiServer, **sections: Any) -> None:
        self.place = place
        self.server = server
        self.progress = Progress()
        self.lines: list[dict[str, Any]] = []
        config = place.config(
            source={"apiserver_metrics": {"url": server.url}},
            batch={"max_age": "50ms", "heartbeat": "1s"},
            **sections,
        )
        logger = make_logger(level="info", form="json", write=self._say)
        self.app = App(
            _often(config), once=False, logger=logger, progress=self.progress, clock=SteadyClock()
        )

    def _say(self, line: str) -> None:
        self.lines.append(json.loads(line))

    def events(self) -> list[str]:
        return [line["event"] for line in self.lines]

    async def until(self, done: Any) -> None:
        async with asyncio.timeout(20):
            while not done():  # noqa: ASYNC110 what is counted rings no bell
                await asyncio.sleep(0.01)

    async def balances(self, more: int) -> None:
        """So many comparisons from now on."""
        target = self.progress.balances + more
        await self.until(lambda: self.progress.balances >= target)


def _often(config: Config) -> Config:
    asked = structs.replace(config.source.apiserver_metrics, every=Duration(0.01))
    return structs.replace(config, source=structs.replace(config.source, apiserver_metrics=asked))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(reconcile, "_POLL_SECONDS", 0.005)


@asynccontextmanager
async def running(place: Place, server: ApiServer) -> AsyncIterator[Running]:
    daemon = Running(place, server)
    life = asyncio.create_task(daemon.app.run())
    try:
        yield daemon
    finally:
        daemon.app.stop()
        assert await asyncio.wait_for(life, 30) == 0


@contextmanager
def node(root: Path) -> Iterator[tuple[Place, ApiServer]]:
    place = Place(root)
    with serving(ApiServer(place.log)) as server:
        server.write(5)
        yield place, server


def notices(place: Place) -> list[str]:
    place.verify("--full")
    return [line.strip() for line in place.said.getvalue().splitlines() if "notice  " in line]


def test_a_node_that_is_well_is_balanced(tmp_path: Path) -> None:
    """Also while it writes, and at the end the record is whole."""
    with node(tmp_path) as (place, server):

        async def life() -> None:
            async with running(place, server) as daemon:
                await daemon.balances(1)
                for _ in range(10):
                    server.write(20)
                    await daemon.balances(1)
                assert (daemon.progress.events_missing, daemon.progress.events_gained) == (0, 0)
                assert daemon.events().count("apiserver_counted") == 1

        asyncio.run(life())
        assert place.verify() == 0


def test_what_the_api_server_counts_is_sealed(tmp_path: Path) -> None:
    """In heartbeats, and in batches where the log is too busy for heartbeats."""
    with node(tmp_path) as (place, server):

        async def life() -> None:
            async with running(place, server) as daemon:
                await daemon.until(lambda: ("heartbeat", 1005) in carried(place))
                server.write(5)
                await daemon.until(lambda: 1010 in [events for _, events in carried(place)])

        asyncio.run(life())
        assert {kind for kind, _ in carried(place)} <= {"heartbeat", "batch"}
        assert place.verify() == 0


def carried(place: Place) -> list[tuple[str, int]]:
    """The kind of each record with counters, and the events that they count."""
    paths = sorted(place.archive.glob("*/*/*/manifest/*-*.note"))
    sealed = [decode_manifest(note.parse(path.read_bytes()).text) for path in paths]
    return [(one.kind, one.apiserver.events) for one in sealed if one.apiserver is not UNSET]


def test_events_that_went_elsewhere_are_missing(tmp_path: Path) -> None:
    """The record says so, and its completeness fails; it is a finding for who is told."""
    with node(tmp_path) as (place, server):

        async def life() -> None:
            async with running(place, server) as daemon:
                await daemon.balances(1)
                server.write(300, to=tmp_path / "elsewhere.log")
                await daemon.until(lambda: daemon.progress.events_missing)
                await daemon.until(lambda: daemon.progress.notices["gap"])
                assert daemon.progress.events_missing == 300
                assert [one.rule for _, one in daemon.progress.recent] == ["audit-shipper.gap"]
                assert "events_missing" in daemon.events()

        asyncio.run(life())
        assert place.verify() == 4
        assert "gap: at least 300 events: the API server counts them as written" in (
            place.said.getvalue()
        )


def test_lines_that_were_added_are_sealed_as_such(tmp_path: Path) -> None:
    """The archive has them as they were read, with a notice beside them."""
    with node(tmp_path) as (place, server):

        async def life() -> None:
            async with running(place, server) as daemon:
                await daemon.balances(LASTS)
                server.write(100)
                server.events -= 100
                await daemon.until(lambda: daemon.progress.notices["source-edited"])
                assert daemon.progress.events_gained == 100

        asyncio.run(life())
        assert place.verify() == 0


def test_events_that_could_not_be_written(tmp_path: Path) -> None:
    """As the API server says itself."""
    with node(tmp_path) as (place, server):

        async def life() -> None:
            async with running(place, server) as daemon:
                await daemon.balances(1)
                server.events += 2
                server.failed += 2
                await daemon.until(lambda: daemon.progress.notices["gap"])
                assert daemon.progress.events_failed == 2

        asyncio.run(life())


def test_what_is_found_at_the_end_is_sealed(tmp_path: Path) -> None:
    """A daemon that is told to stop before its next step; the next start would not know of it."""
    with node(tmp_path) as (place, server):

        async def life() -> None:
            async with running(place, server) as daemon:
                await daemon.balances(1)
                await asyncio.sleep(1.2)  # from now on it reads once a second
                server.events += 2
                server.failed += 2
                await daemon.until(lambda: daemon.progress.events_failed)

        asyncio.run(life())
        assert place.verify() == 4
        assert "gap: 2 events: the API server could not write them" in place.said.getvalue()


def test_an_api_server_that_does_not_answer(tmp_path: Path) -> None:
    """One line, a trouble, and the recording goes on; it is over with the next answer."""
    with node(tmp_path) as (place, server):
        server.status = 403

        async def life() -> None:
            async with running(place, server) as daemon:
                await daemon.until(lambda: len(server.asked) > 3)
                assert daemon.events().count("apiserver_unreadable") == 1
                assert "HTTP 403" in daemon.progress.apiserver_trouble
                server.status = 200
                await daemon.balances(1)
                assert daemon.progress.apiserver_trouble == ""

        asyncio.run(life())
        assert place.verify() == 0
