"""Tells the service manager how the daemon is doing: sd_notify(3), in plain datagrams.

Needs no library and no systemd: without `NOTIFY_SOCKET` it says nothing. Never waits for the
manager and never fails the daemon: what cannot be sent is logged once.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping

from shipper.logs import Logger

STATUS_SECONDS = 10.0
"""How often the one line of `systemctl status` is brought up to date."""


class Notifier:
    """One end of the notification socket; the environment says where it is, if anywhere."""

    def __init__(self, logger: Logger, environment: Mapping[str, str] = os.environ) -> None:
        self._logger = logger
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._watchdog_seconds = _watchdog_seconds(environment) if self._address else None
        self._failed = False

    def ready(self, status: str) -> None:
        """The daemon has started."""
        self._send("READY=1", f"STATUS={status}")

    def stopping(self) -> None:
        """The daemon has begun to stop."""
        self._send("STOPPING=1", "STATUS=stopping: sealing what was read, shipping what waits")

    async def report(self, *, turns: Callable[[], int], status: Callable[[], str]) -> None:
        """Until cancelled: say `status`, and feed the watchdog while `turns` goes on counting.

        `turns` must move at least once in half the watchdog's time, or the manager takes the
        daemon for hung and starts it anew.
        """
        if self._address is None:
            return
        period = min(STATUS_SECONDS, (self._watchdog_seconds or STATUS_SECONDS * 2) / 2)
        seen = -1
        while True:
            now, fed = turns(), []
            if self._watchdog_seconds is not None and now != seen:
                seen, fed = now, ["WATCHDOG=1"]
            self._send(*fed, f"STATUS={status()}")
            await asyncio.sleep(period)

    def _send(self, *assignments: str) -> None:
        if self._address is None:
            return
        message = "\n".join(line.replace("\n", " ") for line in assignments)
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        try:
            with socket.socket(socket.AF_UNIX, kind) as out:
                out.sendto(message.encode(errors="replace"), self._address)
        except OSError as error:
            if not self._failed:
                self._logger.warning("notify_failed", error=str(error))
            self._failed = True


def _address(text: str) -> str | None:
    """sd_notify(3): a path, or a name in the abstract namespace behind `@`."""
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else None


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """sd_watchdog_enabled(3): the time in which a sign of life is due; None if none is."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = environment.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() and int(microseconds) else None
