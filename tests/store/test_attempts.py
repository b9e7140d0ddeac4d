"""Calls in threads that can be left behind."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time

import pytest

from shipper.errors import ConflictError, StoreError
from shipper.store.attempts import MOST_LEFT, Attempts


def test_a_call_gives_what_it_returns_or_raises() -> None:
    """One thread serves one call after the other."""

    def conflict() -> str:
        raise ConflictError("no")

    async def life() -> None:
        attempts = Attempts()
        names = {
            await attempts.run(lambda: threading.current_thread().ident, within_seconds=5)
            for _ in range(5)
        }
        assert len(names) == 1
        with pytest.raises(ConflictError):
            await attempts.run(conflict, within_seconds=5)

    asyncio.run(life())


def test_a_timeout_of_the_call_itself_is_its_own() -> None:
    """A `TimeoutError` that the call raises is not taken for the deadline's."""

    def timeout() -> None:
        raise TimeoutError("mine")

    async def life() -> None:
        with pytest.raises(TimeoutError, match="mine"):
            await Attempts().run(timeout, within_seconds=5)

    asyncio.run(life())


@pytest.mark.parametrize("fails", [False, True])
def test_an_answer_at_the_last_moment_counts(*, fails: bool) -> None:
    """It and the end of its time meet in one turn of the loop: a bare `TimeoutError` would end who
    asks."""

    def answer() -> str:
        time.sleep(0.03)
        if fails:
            raise ConflictError("no")
        return "yes"

    async def life() -> str:
        asking = asyncio.create_task(Attempts().run(answer, within_seconds=0.02))
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 the loop wakes up to both at once
        return await asking

    if fails:
        with pytest.raises(ConflictError):
            asyncio.run(life())
    else:
        assert asyncio.run(life()) == "yes"


def test_a_call_that_hangs_is_given_up() -> None:
    """The next call goes on at once; too many that hang are refused, until one comes back."""
    release = threading.Event()

    async def life() -> None:
        attempts = Attempts()
        for _ in range(MOST_LEFT):
            with pytest.raises(StoreError, match="no answer within"):
                await attempts.run(lambda: release.wait(30), within_seconds=0.001)
        with pytest.raises(StoreError, match="16 calls hang"):
            await attempts.run(lambda: 1, within_seconds=5)
        release.set()
        async with asyncio.timeout(10):
            while True:
                try:
                    assert await attempts.run(lambda: 1, within_seconds=5) == 1
                except StoreError:
                    await asyncio.sleep(0.01)
                else:
                    return

    asyncio.run(life())


def test_a_call_that_hangs_does_not_hold_up_the_exit() -> None:
    """The process ends while the thread is still waiting."""
    program = """
import asyncio, time
from shipper.errors import StoreError
from shipper.store.attempts import Attempts
async def life():
    try:
        await Attempts().run(lambda: time.sleep(60), within_seconds=0.01)
    except StoreError:
        print("given up")
asyncio.run(life())
"""
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert ended.stdout == "given up\n"
    assert ended.stderr == ""
    assert time.monotonic() - began < 30


def test_threads_end_with_their_owner() -> None:
    """Nobody is left waiting for calls that will not come."""

    async def life() -> int:
        attempts = Attempts()
        return await attempts.run(threading.get_ident, within_seconds=5)

    worker = asyncio.run(life())
    gc.collect()
    deadline = time.monotonic() + 5
    while worker in {thread.ident for thread in threading.enumerate()}:
        assert time.monotonic() < deadline
        time.sleep(0.01)
