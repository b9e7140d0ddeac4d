"""What a service manager is told: readiness, signs of life, the stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from shipper.app import App
from shipper.disk import Disk
from shipper.logs import make_logger
from shipper.notify import Notifier
from shipper.pipeline.progress import Progress
from shipper.store.memory import MemoryStore
from tests.daemon import Place
from tests.supervisor import PATIENCE_SECONDS, Supervisor, abstract_name

WATCHDOG_SECONDS = 0.4
QUICK = {"max_age": "50ms", "heartbeat": "1s"}


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Supervisor]:
    address = tmp_path / "notify" if request.param == "path" else abstract_name()
    with Supervisor(address) as listening:
        yield listening


@pytest.fixture
def at_path(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "notify") as listening:
        yield listening


def notifier(environment: Mapping[str, str], said: io.StringIO | None = None) -> Notifier:
    stream = said or io.StringIO()
    return Notifier(make_logger(level="info", form="json", stream=stream), environment)


async def report(one: Notifier, turns: list[int], seconds: float) -> None:
    """Let it report for `seconds`."""
    running = asyncio.create_task(one.report(turns=lambda: turns[0], status=lambda: "well"))
    await asyncio.sleep(seconds)
    running.cancel()


def test_it_says_that_it_is_ready_and_that_it_stops(supervisor: Supervisor) -> None:
    """READY and STOPPING come with one line for `systemctl status`, at either kind of address."""
    one = notifier(supervisor.environment())
    one.ready("sealed 1\nshipped 1")
    one.stopping()
    heard = supervisor.listen()
    assert heard[:3] == ["READY=1", "STATUS=sealed 1 shipped 1", "STOPPING=1"]
    assert heard[3].startswith("STATUS=stopping")


@pytest.mark.parametrize("socket", ["", "vsock:2:1234", "relative"])
def test_without_a_manager_it_says_nothing(socket: str) -> None:
    """No socket, or one of a kind that does not exist here: silence, and no error."""
    said = io.StringIO()
    one = notifier({"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "1000"}, said)
    one.ready("well")
    asyncio.run(asyncio.wait_for(one.report(turns=int, status=str), timeout=1))
    assert said.getvalue() == ""


def test_a_manager_that_is_gone_is_logged_once(tmp_path: Path) -> None:
    """The daemon goes on; its own log says why the manager hears nothing."""
    said = io.StringIO()
    one = notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}, said)
    one.ready("well")
    one.stopping()
    assert said.getvalue().count("notify_failed") == 1


def test_the_watchdog_is_fed_only_while_turns_count(at_path: Supervisor) -> None:
    """A count that stands still is fed once, for the turn before, and never again."""
    one = notifier(at_path.environment(watchdog_seconds=0.02))
    turns = [7]
    asyncio.run(report(one, turns, 0.2))
    assert at_path.fed() == 1
    assert (
        at_path.listen().count("STATUS=well") > 1
    )  # the line goes on: only the collect loop hangs


@pytest.mark.parametrize("odd", [{"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "soon"}])
def test_a_watchdog_of_another_process_is_not_fed(at_path: Supervisor, odd: dict[str, str]) -> None:
    """sd_watchdog_enabled(3): WATCHDOG_PID must be ours, WATCHDOG_USEC a number."""
    one = notifier(at_path.environment(watchdog_seconds=0.02) | odd)
    asyncio.run(report(one, [7], 0.05))
    assert at_path.fed() == 0
    assert "STATUS=well" in at_path.heard


# ---- the daemon


class HangingDisk(Disk):
    """A disk on which every write waits while `open` is not set."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.waiting = threading.Event()

    def write(self, path: Path, body: bytes, *, mode: int) -> None:
        if not self.open.is_set():
            self.waiting.set()
        self.open.wait()
        super().write(path, body, mode=mode)


class FullDisk(Disk):
    """A disk that refuses every write while `full`."""

    full = False

    def write(self, path: Path, body: bytes, *, mode: int) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(path, body, mode=mode)


async def until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def living(place: Place, disk: Disk) -> AsyncIterator[None]:
    """The daemon in this process, stopped at the end."""
    app = App(
        place.config(batch=QUICK),
        once=False,
        logger=make_logger(level="info", form="json", stream=place.said),
        progress=Progress(),
        store=MemoryStore(),
        disk=disk,
    )
    life = asyncio.create_task(app.run())
    try:
        yield
    finally:
        app.stop()
        assert await life == 0


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor with a short watchdog, for the daemon in this process."""
    with Supervisor(tmp_path / "notify") as listening:
        for name, value in listening.environment(watchdog_seconds=WATCHDOG_SECONDS).items():
            monkeypatch.setenv(name, value)
        yield listening


def write(place: Place, line: bytes) -> None:
    with place.log.open("ab") as log:
        log.write(line)


def test_a_hung_collect_loop_starves_the_watchdog(tmp_path: Path, watching: Supervisor) -> None:
    """While the disk hangs nothing is fed, though the daemon still talks; then it is fed again."""
    place, disk = Place(tmp_path), HangingDisk()

    async def life() -> None:
        async with living(place, disk):
            await until(lambda: watching.fed() >= 2, "an idle loop's signs of life")
            disk.open.clear()
            write(place, b"one\n")
            await until(disk.waiting.is_set, "the disk to hang")
            watching.listen()
            await asyncio.sleep(WATCHDOG_SECONDS)  # a turn that was under way may feed it once
            before = len(watching.listen())
            await asyncio.sleep(3 * WATCHDOG_SECONDS)
            since = watching.listen()[before:]
            disk.open.set()
            assert "WATCHDOG=1" not in since
            assert any(line.startswith("STATUS=sealed") for line in since)
            fed = watching.fed()
            await until(lambda: watching.fed() > fed, "signs of life again")

    asyncio.run(life())


def test_a_full_disk_is_no_hang(tmp_path: Path, watching: Supervisor) -> None:
    """A disk that refuses is waited for, which a restart would not mend: the watchdog is fed."""
    place, disk = Place(tmp_path), FullDisk()

    async def life() -> None:
        async with living(place, disk):
            disk.full = True
            write(place, b"one\n")
            await until(lambda: "spool_write_failed" in place.said.getvalue(), "the refusal")
            fed = watching.fed()
            await until(lambda: watching.fed() > fed, "a sign of life")
            disk.full = False

    asyncio.run(life())


def test_a_daemon_under_a_manager(tmp_path: Path, supervisor: Supervisor) -> None:
    """A process of its own: ready once it reads, a line on what it has done, a stop that is
    announced before the end, exit 0."""
    place = Place(tmp_path)
    write(place, b"one\n")
    config = tmp_path / "config.yaml"
    config.write_text(place.yaml(batch=QUICK))
    process = subprocess.Popen(
        [sys.executable, "-m", "shipper", "run", "--config", str(config)],
        env=os.environ | supervisor.environment(watchdog_seconds=WATCHDOG_SECONDS),
        stderr=subprocess.PIPE,
    )
    try:
        supervisor.wait_for(lambda: "READY=1" in supervisor.listen(), "readiness")
        supervisor.wait_for(lambda: supervisor.fed() >= 2, "signs of life")
        supervisor.wait_for(
            lambda: any(re.match(r"STATUS=sealed [2-9]", line) for line in supervisor.listen()),
            "the batch in the status line",
        )
        assert "STOPPING=1" not in supervisor.heard
        process.terminate()
        assert process.wait(30) == 0
        assert "STOPPING=1" in supervisor.listen()
        assert "WATCHDOG=1" not in supervisor.heard[supervisor.heard.index("STOPPING=1") + 1 :]
    finally:
        process.kill()
        process.communicate()
    assert place.verify() == 0


def test_a_daemon_that_cannot_start_is_never_ready(tmp_path: Path, at_path: Supervisor) -> None:
    """A log that cannot be read ends the start: no READY, exit 3."""
    place = Place(tmp_path)
    place.log.mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(place.yaml())
    done = subprocess.run(
        [sys.executable, "-m", "shipper", "run", "--config", str(config)],
        env=os.environ | at_path.environment(),
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 3
    assert "READY=1" not in at_path.listen()
