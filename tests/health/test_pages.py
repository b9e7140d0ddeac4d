"""What each path says of a daemon, and to whom."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from shipper.clock import SystemClock
from shipper.health.liveness import STILL_SECONDS
from shipper.health.observe import Observer
from shipper.health.pages import Answer, Asked, Pages
from shipper.health.status import Status
from shipper.pipeline.progress import Progress
from shipper.spool.spool import Spool
from tests.daemon import Place


class Told:
    """The pages of a daemon whose counts a test sets."""

    def __init__(self, root: Path) -> None:
        place = Place(root)
        place.log.write_bytes(b"")
        self.log = place.log
        self.progress = Progress(ready=True)
        self.seconds = 0.0
        observer = Observer(place.config(), self.progress, Spool(place.spool), clock=SystemClock())
        self._runner = asyncio.Runner()
        self._pages = Pages(observer, monotonic=lambda: self.seconds)

    def get(self, path: str, host: str = "127.0.0.1:9465", accept: str = "") -> Answer:
        return self._runner.run(self._pages.answer(Asked(path, host, accept)))

    def close(self) -> None:
        self._runner.close()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with contextlib.closing(Told(tmp_path)) as told:
        yield told


def test_live_until_the_loop_hangs(told: Told) -> None:
    """A store that refuses, a log that cannot be read and a disk that is full are no death."""
    told.progress.store_state, told.progress.source_trouble = "refused", "denied"
    told.progress.disk_trouble, told.progress.spool_full = "full", True
    assert told.get("/livez")[:3] == (200, "text/plain; charset=utf-8", b"ok\n")
    told.seconds = STILL_SECONDS + 1
    assert told.get("/livez").status == 503
    told.progress.turns += 1
    assert told.get("/livez").status == 200


def test_ready_while_the_log_is_read(told: Told) -> None:
    """And the reason, while it is not."""
    assert told.get("/readyz").status == 200
    told.log.unlink()
    answer = told.get("/readyz")
    assert (answer.status, b"no audit log at" in answer.body) == (503, True)
    told.progress.ready = False
    assert told.get("/readyz")[::2] == (503, b"starting\n")


def test_page_json_and_metrics_are_one_status(told: Told) -> None:
    """Three forms of the same numbers."""
    told.progress.events = 4321
    assert b"4,321 lines" in told.get("/").body
    assert msgspec.json.decode(told.get("/status.json").body, type=Status).events_read == 4321
    answer = told.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    assert b"\naudit_shipper_read_events_total 4321.0\n" in answer.body


def test_other_paths_name_those_that_there_are(told: Told) -> None:
    """404, also for what is only nearly right."""
    for path in ("/metrics/", "//", "/../etc/passwd", "/LIVEZ", ""):
        answer = told.get(path)
        assert (answer.status, b"/livez" in answer.body) == (404, True)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("10.0.0.7:9465", 200),
        ("[::1]:9465", 200),
        ("localhost:8080", 200),
        ("cp-1", 200),
        ("evil.example.com:9465", 421),
        ("127.0.0.1.evil.example.com", 421),
        ("", 421),
    ],
)
def test_a_foreign_name_reads_no_page(told: Told, host: str, status: int) -> None:
    """DNS rebinding: a web page whose name points here reads no findings; scrapes may use names."""
    assert told.get("/", host).status == status
    assert told.get("/status.json", host).status == status
    assert told.get("/metrics", host).status == 200
