"""A disk that fails on purpose: it stops the process, refuses, or lies, at one chosen step."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from shipper.disk import Disk

Fault = Literal["before", "inside", "after", "refused", "reported-failed", "power-loss"]


class Crash(BaseException):
    """The process has stopped here. Nothing may catch it, and no later step happens."""


class FaultyDisk(Disk):
    """The real disk, save for step number `step` (from 0), which meets `fault`.

    before, after     the process stops before or after the step
    inside            it stops in mid-write; other steps have no inside
    refused           the step fails with EIO and has not happened; the process lives
    reported-failed   the step fails with EIO although it has happened
    power-loss        the process stops after the step and what was not fsynced is gone
    """

    def __init__(self, step: int, fault: Fault) -> None:
        self._at = step
        self._fault = fault
        self.steps = 0
        self.dead = False
        self._power = threading.RLock()  # it fails for all threads at once
        self._undo: dict[Path, list[Callable[[], None]]] = {}

    @property
    def reached(self) -> bool:
        """Whether the chosen step came."""
        return self.steps > self._at

    def write(self, path: Path, body: bytes, *, mode: int) -> None:
        def half() -> None:
            path.unlink(missing_ok=True)
            path.write_bytes(body[: len(body) // 2])

        def real() -> None:
            super(FaultyDisk, self).write(path, body, mode=mode)
            self._remember(path.parent, lambda: path.unlink(missing_ok=True))

        self._step(real, half)

    def rename(self, source: Path, target: Path) -> None:
        replaced = target.read_bytes() if target.exists() else None

        def back() -> None:
            if target.exists():
                os.rename(target, source)
                if replaced is not None:
                    target.write_bytes(replaced)

        def real() -> None:
            super(FaultyDisk, self).rename(source, target)
            self._remember(target.parent, back)

        self._step(real)

    def link(self, source: Path, target: Path) -> None:
        def real() -> None:
            super(FaultyDisk, self).link(source, target)
            self._remember(target.parent, lambda: target.unlink(missing_ok=True))

        self._step(real)

    def unlink(self, path: Path) -> None:
        if not path.exists():
            super().unlink(path)
            return
        body, mode = path.read_bytes(), path.stat().st_mode & 0o777

        def back() -> None:
            if not path.exists():
                path.write_bytes(body)
                path.chmod(mode)

        def real() -> None:
            super(FaultyDisk, self).unlink(path)
            self._remember(path.parent, back)

        self._step(real)

    def make_directory(self, path: Path, *, mode: int) -> None:
        if not path.is_dir():
            self._step(lambda: super(FaultyDisk, self).make_directory(path, mode=mode))

    def sync_directory(self, path: Path) -> None:
        def sync() -> None:
            super(FaultyDisk, self).sync_directory(path)
            self._undo.pop(path, None)

        self._step(sync)

    def _step(self, real: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        with self._power:
            self._locked_step(real, half)

    def _locked_step(self, real: Callable[[], None], half: Callable[[], None] | None) -> None:
        if self.dead:
            raise Crash
        number, self.steps = self.steps, self.steps + 1
        if number != self._at:
            real()
            return
        match self._fault:
            case "before":
                self._die()
            case "inside":
                if half:
                    half()
                self._die()
            case "after" | "power-loss":
                real()
                self._die()
            case "reported-failed":
                real()
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            case "refused":
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    def _die(self) -> None:
        self.dead = True
        if self._fault == "power-loss":
            for steps in self._undo.values():
                for undo in reversed(steps):
                    undo()
        raise Crash

    def _remember(self, directory: Path, undo: Callable[[], None]) -> None:
        """Until `directory` is synced, a power loss may undo this."""
        self._undo.setdefault(directory, []).append(undo)
