"""Waking an idle reader."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shipper.audit.wake import Wake

LONG = 5.0
PROMPT = 0.2  # 0.7 ms on an idle machine; a busy one must not fail the test


async def _woken_after(wake: Wake, act: Callable[[], object], seconds: float = LONG) -> float:
    """How long after `act` the wait returned."""
    acted = 0.0

    def run() -> None:
        nonlocal acted
        acted = time.monotonic()
        act()

    asyncio.get_running_loop().call_later(0.02, run)
    await wake.wait(seconds)
    return time.monotonic() - acted


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"line\n")


@pytest.mark.parametrize("change", ["append", "rename", "create", "delete", "truncate"])
def test_a_change_wakes_at_once(tmp_path: Path, change: str) -> None:
    """Whatever happens to the log wakes the reader at once."""
    live = tmp_path / "audit.log"
    _append(live)
    acts: dict[str, Callable[[], object]] = {
        "append": lambda: _append(live),
        "rename": lambda: live.rename(tmp_path / "audit-2026-11-23T15-11-32.194.log"),
        "create": lambda: (tmp_path / "audit.log.1").touch(),
        "delete": live.unlink,
        "truncate": lambda: os.truncate(live, 0),
    }

    async def run() -> float:
        wake = Wake(live, poll_seconds=LONG)
        wake.arm()
        assert wake.watching
        try:
            return await _woken_after(wake, acts[change])
        finally:
            wake.close()

    assert asyncio.run(run()) < PROMPT


def test_a_change_between_arm_and_wait_is_not_missed(tmp_path: Path) -> None:
    """What happened since `arm` makes the next wait return."""

    async def run() -> float:
        wake = Wake(tmp_path / "audit.log", poll_seconds=LONG)
        wake.arm()
        _append(tmp_path / "audit.log")
        await asyncio.sleep(0.05)
        start = time.monotonic()
        await wake.wait(LONG)
        wake.close()
        return time.monotonic() - start

    assert asyncio.run(run()) < PROMPT


def test_our_own_reading_does_not_wake_us(tmp_path: Path) -> None:
    """Opening, reading and closing files of the directory is no change."""
    live = tmp_path / "audit.log"
    _append(live)

    async def run() -> float:
        wake = Wake(live, poll_seconds=LONG)
        wake.arm()
        took = await _woken_after(wake, lambda: (live.read_bytes(), os.listdir(tmp_path)), 0.2)
        wake.close()
        return took

    assert asyncio.run(run()) > 0.15


@pytest.mark.parametrize("armed", [False, True])
def test_the_clock_wakes_as_well(tmp_path: Path, armed: bool) -> None:
    """Without a change the wait ends after the shorter of its two times."""

    async def run(seconds: float, poll_seconds: float) -> float:
        wake = Wake(tmp_path / "audit.log", poll_seconds=poll_seconds)
        if armed:
            wake.arm()
        start = time.monotonic()
        await wake.wait(seconds)
        wake.close()
        return time.monotonic() - start

    assert 0.05 <= asyncio.run(run(0.05, LONG)) < 1
    assert 0.05 <= asyncio.run(run(LONG, 0.05)) < 1


def test_a_directory_that_comes_later_is_watched_later(tmp_path: Path) -> None:
    """Where there is nothing to watch the clock is enough; `arm` tries again each time."""
    live = tmp_path / "logs" / "audit.log"

    async def run() -> float:
        wake = Wake(live, poll_seconds=0.05)
        wake.arm()
        assert not wake.watching
        await wake.wait(LONG)
        live.parent.mkdir()
        wake.arm()
        assert wake.watching
        took = await _woken_after(wake, lambda: _append(live))
        wake.close()
        return took

    assert asyncio.run(run()) < PROMPT


def test_a_directory_that_was_replaced_is_watched_again(tmp_path: Path) -> None:
    """A watch on a directory that has gone would never report anything."""
    live = tmp_path / "logs" / "audit.log"
    live.parent.mkdir()

    async def run() -> float:
        wake = Wake(live, poll_seconds=LONG)
        wake.arm()
        live.parent.rename(tmp_path / "old")
        live.parent.mkdir()
        wake.arm()
        took = await _woken_after(wake, lambda: _append(live))
        shutil.rmtree(live.parent)
        wake.arm()
        assert not wake.watching
        wake.close()
        return took

    assert asyncio.run(run()) < PROMPT


def test_a_linked_directory_is_watched(tmp_path: Path) -> None:
    """The directory of the log may be a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    async def run() -> float:
        wake = Wake(tmp_path / "link" / "audit.log", poll_seconds=LONG)
        wake.arm()
        took = await _woken_after(wake, lambda: _append(tmp_path / "real" / "audit.log"))
        wake.close()
        return took

    assert asyncio.run(run()) < PROMPT


def test_a_directory_that_may_not_be_read_is_not_watched(unprivileged: Path) -> None:
    """Without the right to watch the reader is woken by the clock, and knows it."""
    unprivileged.chmod(0o300)
    wake = Wake(unprivileged / "audit.log", poll_seconds=0.01)
    wake.arm()
    assert not wake.watching
    asyncio.run(wake.wait(LONG))
    wake.close()


def test_without_inotify_the_clock_is_enough(tmp_path: Path) -> None:
    """Where the system grants no watch nothing is raised, and no thread is left."""
    threads = threading.active_count()
    wake = Wake(tmp_path / "audit.log", poll_seconds=0.01)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        wake.arm()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert not wake.watching
    asyncio.run(wake.wait(LONG))
    wake.close()
    assert threading.active_count() == threads


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Arming and disarming, however often, leaks no thread and no descriptor."""

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = threading.active_count(), open_files()
    wake = Wake(tmp_path / "audit.log", poll_seconds=LONG)
    for _ in range(20):
        wake.arm()
        wake.arm()
        _append(tmp_path / "audit.log")
        wake.disarm()
        wake.disarm()
    wake.close()
    assert (threading.active_count(), open_files()) == before


def test_a_cancelled_wait_leaves_the_watch_usable(tmp_path: Path) -> None:
    """Cancelling is not swallowed, and the next wait works."""

    async def run() -> float:
        wake = Wake(tmp_path / "audit.log", poll_seconds=LONG)
        wake.arm()
        task = asyncio.create_task(wake.wait(LONG))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        took = await _woken_after(wake, lambda: _append(tmp_path / "audit.log"))
        wake.close()
        return took

    assert asyncio.run(run()) < PROMPT
