"""A service manager in small: it listens where `NOTIFY_SOCKET` says and keeps what it is told."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

PATIENCE_SECONDS = 20


class Supervisor:
    """Speaks the receiving side of sd_notify(3), at a path or (`@`) in the abstract namespace."""

    def __init__(self, address: Path | str) -> None:
        self._name = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self._name.replace("@", "\0", 1) if "@" in self._name else self._name)
        self._socket.setblocking(False)
        self.heard: list[str] = []
        """Every assignment so far, in order."""

    def environment(self, *, watchdog_seconds: float | None = None) -> dict[str, str]:
        """What a service is started with."""
        found = {"NOTIFY_SOCKET": self._name}
        if watchdog_seconds is not None:
            found["WATCHDOG_USEC"] = str(round(watchdog_seconds * 1e6))
        return found

    def listen(self) -> list[str]:
        """Take what has come; returns all that was ever heard."""
        while True:
            try:
                datagram = self._socket.recv(65536)
            except BlockingIOError:
                return self.heard
            self.heard += datagram.decode().split("\n")

    def fed(self) -> int:
        """How often the watchdog was fed."""
        return self.listen().count("WATCHDOG=1")

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.heard}"
            time.sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def abstract_name() -> str:
    """A name in the abstract namespace that nobody else has."""
    return f"@audit-shipper-test-{os.getpid()}-{time.monotonic_ns()}"
