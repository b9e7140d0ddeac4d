"""How long the daemon takes from its start until it reads, with default settings and no backlog.

The catalog of rules is in force. The clock runs from just before the process is made until its own
word, READY=1 of sd_notify(3), has arrived. The first start, which also draws the log's name and may
find no compiled bytecode, is not counted.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator

from bench.bench import Bench
from bench.daemon import Installation
from bench.process import failed
from bench.table import Row, under

_STARTS = 7
_READY_SECONDS = 20.0


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    bench.say(f"starting, {_STARTS} times")
    installation = Installation(bench.directory / "start")
    installation.log.write_bytes(b"")
    _, *seconds = [_start(installation) for _ in range(1 + _STARTS)]
    installation.remove()
    yield under("start to ready, median", statistics.median(seconds), 1, "s", digits=2)
    yield under("start to ready, slowest", max(seconds), 1, "s", digits=2)


def _start(installation: Installation) -> float:
    """Seconds until the daemon is ready; it is stopped again."""
    name = f"audit-shipper-bench-{os.getpid()}"  # in the abstract namespace: no path is too long
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + name)
        heard.settimeout(_READY_SECONDS)
        began = time.perf_counter()
        with installation.output.open("wb") as output:
            daemon = subprocess.Popen(
                installation.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ | {"NOTIFY_SOCKET": "@" + name},
            )
        try:
            while b"READY=1" not in heard.recv(65536).split(b"\n"):
                pass
            seconds = time.perf_counter() - began
            daemon.terminate()
            if daemon.wait(_READY_SECONDS) != 0:
                raise failed(installation.command, daemon.returncode, installation.output)
        finally:
            if daemon.poll() is None:
                daemon.kill()
                daemon.wait()
    return seconds
