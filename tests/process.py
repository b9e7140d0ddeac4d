"""The daemon as a process of its own, for tests that send it signals."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.daemon import Place

AUDIT_SHIPPER = [sys.executable, "-m", "shipper"]
QUICK = {"max_age": "100ms", "heartbeat": "1s"}


class Daemon:
    """A running `audit-shipper run`, ended at the latest with the test."""

    def __init__(self, place: Place, **sections: dict[str, Any]) -> None:
        self.place = place
        self.config = place.root / "config.yaml"
        self.config.write_text(place.yaml(**({"batch": QUICK} | sections)))
        self.said = place.root / "said.jsonl"
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [*AUDIT_SHIPPER, "run", "--config", str(self.config)], stderr=said
            )

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 20
        while not done():
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.events()}"
            assert self.process.poll() is None, f"ended while waiting for {what}: {self.events()}"
            time.sleep(0.02)

    def wait_for_event(self, name: str) -> None:
        self.wait_for(lambda: name in self.events(), name)

    def events(self) -> list[str]:
        """The names of the log lines so far."""
        return [line["event"] for line in self.lines()]

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """The log lines so far (of that name)."""
        said = self.said.read_text().splitlines()
        lines = [json.loads(line) for line in said if not line.startswith("error: ")]
        return [line for line in lines if event in ("", line["event"])]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextlib.contextmanager
def running(place: Place, **sections: dict[str, Any]) -> Iterator[Daemon]:
    daemon = Daemon(place, **sections)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()


def append(place: Place, data: bytes) -> None:
    with place.log.open("ab") as log:
        log.write(data)
