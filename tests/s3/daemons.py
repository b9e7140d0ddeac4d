"""Child processes that end with the tests, whatever ends those."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

_TAIL_LINES = 15


class Daemons:
    """Servers in the foreground, each in a session of its own, their output below `logs`."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self.logs = logs
        self._environment = dict(environment)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        # The kernel kills the child when the thread that started it is gone, also by SIGKILL.
        guard = shutil.which("setpriv")
        self._guard = [guard, "--pdeathsig", "KILL"] if guard else []

    def start(self, name: str, *command: str) -> None:
        """Start it; `check` says whether it still runs."""
        with (self.logs / f"{name}.out").open("wb") as output:
            self._running[name] = subprocess.Popen(
                [*self._guard, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )

    def dead(self) -> str:
        """The first daemon that has ended by itself; empty if none has."""
        for name, process in self._running.items():
            if process.poll() is not None:
                return f"{name} ended with {process.returncode}"
        return ""

    def pids(self) -> dict[str, int]:
        """The process of each daemon."""
        return {name: process.pid for name, process in self._running.items()}

    def stop(self) -> None:
        """Kill all at once: what they keep is thrown away. May be called again."""
        for process in self._running.values():
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
        for process in self._running.values():
            process.wait(10)
        self._running.clear()

    def tails(self) -> str:
        """The ends of all logs, for the message of a failure."""
        return "\n".join(_tail(path) for path in sorted(self.logs.iterdir()) if path.is_file())


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n".join([f"--- {path.name}", *lines])


def free_ports(count: int) -> Sequence[int]:
    """As many ports that nobody listens on at the moment."""
    with ExitStack() as stack:
        return [_bound(stack) for _ in range(count)]


def _bound(stack: ExitStack) -> int:
    probe = stack.enter_context(socket.socket())
    probe.bind(("127.0.0.1", 0))
    port: int = probe.getsockname()[1]
    return port


def missing(programs: Mapping[str, str]) -> Iterator[str]:
    """The packages of those programs (program: package) that are not installed."""
    for program, package in programs.items():
        if shutil.which(program) is None:
            yield package
