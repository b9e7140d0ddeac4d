"""Runs blocking calls in threads that can be left behind when they do not come back.

A dead NFS mount, or a server that sends a byte a second, ends no call: socket timeouts count
silence only. Such a call is given up after its time and its thread left to end by itself; it holds
up neither the next try nor the exit. Whether its work was done is unknown then.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from shipper.errors import StoreError

MOST_LEFT = 16
"""Threads left behind at one time; beyond that no call is begun until one has ended."""

T = TypeVar("T")


class Attempts:
    """For one event loop. Threads are kept for the next call, and end when nobody has this any
    more."""

    def __init__(self) -> None:
        self._idle: list[_Worker] = []
        weakref.finalize(self, _dismiss, self._idle)
        self._left = 0

    async def run(self, call: Callable[[], T], *, within_seconds: float) -> T:
        """What `call` returns or raises; `StoreError` once it takes longer."""
        if self._left >= MOST_LEFT:
            raise StoreError(f"{self._left} calls hang and do not come back")
        loop = asyncio.get_running_loop()
        worker = self._idle.pop() if self._idle else _Worker(loop)
        future: asyncio.Future[T] = loop.create_future()
        worker.jobs.put((call, future))
        try:
            async with asyncio.timeout(within_seconds):
                return await asyncio.shield(future)
        except TimeoutError as error:
            if future.done():  # in the very moment that its time was over, or the call's own
                return future.result()
            raise StoreError(f"no answer within {within_seconds:.0f} s") from error
        finally:
            if future.done():
                self._idle.append(worker)
            else:
                self._left += 1
                future.add_done_callback(lambda late: self._came_back(late, worker))

    def _came_back(self, late: asyncio.Future[Any], worker: _Worker) -> None:
        self._left -= 1
        self._idle.append(worker)
        late.exception()  # looked at, so that asyncio does not complain


def _dismiss(idle: list[_Worker]) -> None:
    for worker in idle:
        worker.jobs.put(None)


class _Worker:
    """A daemon thread: concurrent.futures joins its own at exit."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.jobs: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None]
        self.jobs = SimpleQueue()
        self._loop = loop
        threading.Thread(target=self._work, name="store", daemon=True).start()

    def _work(self) -> None:
        while (job := self.jobs.get()) is not None:
            call, future = job
            try:
                result, error = call(), None
            except BaseException as raised:  # noqa: BLE001 it is raised where it is awaited
                result, error = None, raised
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(_settle, future, result, error)
            del job, call, future, result, error


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
