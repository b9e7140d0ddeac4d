"""Wakes an idle reader when the directory of the log changes. The only importer of watchdog.

Never decides that something is there to be read, and is never needed for correctness: a wake that
does not come costs at most `poll_seconds`.

The kernel watch exists only between `arm` and `disarm`. While events stream in, a short timer is
cheaper: at 1,000 events/s watchdog's threads would cost more than the reading. After `arm` the
caller reads once more before it waits, for what was written just before.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

# Given to the kernel too: without it each of our own opens and closes would wake us.
_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]


class _Handler(FileSystemEventHandler):
    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._changed()


class Wake:
    """Waits for a change in the directory of `path`; where it cannot watch, for the clock."""

    def __init__(self, path: Path, *, poll_seconds: float) -> None:
        self._directory = path.parent
        self._poll_seconds = poll_seconds
        self._observer: BaseObserver | None = None
        self._watched: tuple[int, int] | None = None
        self._lock = threading.Lock()
        self._changed = False
        self._wake_up: Callable[[], None] | None = None

    @property
    def watching(self) -> bool:
        """Whether changes wake the reader now; if not, it is woken by the clock alone."""
        return self._observer is not None

    def arm(self) -> None:
        """Watch the directory. May be repeated; where it is not possible it does nothing."""
        found = self._identity()
        if self._observer is not None:
            if found == self._watched and self._observer.is_alive():
                return
            self.disarm()  # a directory that was replaced never reports anything again
        if found is None:
            return
        try:
            observer = Observer()
        except OSError:
            return  # no inotify instance left for this user
        observer.schedule(
            _Handler(self._on_change), os.path.realpath(self._directory), event_filter=_EVENTS
        )
        try:
            observer.start()
        except OSError:
            observer.stop()  # no watch left for this user, or the directory has just gone
            return
        self._observer, self._watched = observer, found

    def disarm(self) -> None:
        """Give back watch, descriptors and threads. May be repeated."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()
            self._changed = False

    close = disarm

    async def wait(self, seconds: float) -> None:
        """Return on a change since `arm` or the last wait, or after `seconds` or `poll_seconds`."""
        loop = asyncio.get_running_loop()
        event = asyncio.Event()

        def wake_up() -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(event.set)

        with self._lock:
            if not self._changed:
                self._wake_up = wake_up
        try:
            if self._wake_up is not None:
                async with asyncio.timeout(min(seconds, self._poll_seconds)):
                    await event.wait()
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._wake_up, self._changed = None, False

    def _on_change(self) -> None:
        with self._lock:
            self._changed = True
            wake_up, self._wake_up = self._wake_up, None
        if wake_up is not None:
            wake_up()

    def _identity(self) -> tuple[int, int] | None:
        # inotify needs read permission, and watchdog does not say so if it is missing.
        if not os.access(self._directory, os.R_OK, effective_ids=True):
            return None
        try:
            found = os.stat(self._directory)
        except OSError:
            return None
        return found.st_dev, found.st_ino
