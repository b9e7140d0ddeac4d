"""A writer that appends and rotates, and worse, while the daemon is killed again and again."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from bench.replay import LiveLog
from tests.daemon import Place
from tests.process import AUDIT_SHIPPER


class Writer:
    """Appends lines and rotates in every way that a log is rotated; knows what it wrote."""

    def __init__(self, log: Path, dice: random.Random) -> None:
        self.live = LiveLog(log)
        self.dice = dice
        self.number = 0
        self.finished: list[bytes] = []
        self.hollow = False

    def act(self) -> None:
        """One random step."""
        step: Callable[[], object] = self.dice.choices(
            [self.append, self.append_torn, self.rotate, self.gzip, self.copytruncate],
            weights=[60, 6, 5, 4, 2],
        )[0]
        step()

    def append(self) -> None:
        for _ in range(self.dice.randrange(1, 30)):
            self.number += 1
            pad = "x" * self.dice.choice((10, 200, 3000, 90_000))
            self.live.append(f'{{"n":{self.number},"pad":"{pad}"}}\n'.encode())

    def append_torn(self) -> None:
        """A line in two writes, as readers see it, or torn for good, as a crash leaves it."""
        self.number += 1
        self.live.append(f'{{"torn":{self.number},'.encode())
        if self.dice.random() < 0.8:
            time.sleep(self.dice.random() / 50)
            self.live.append(b'"rest":true}\n')

    def rotate(self) -> None:
        if os.path.getsize(self.live.path):
            self.finished.append(self.live.rotate().read_bytes())
            self.hollow = False

    def gzip(self) -> None:
        self.live.gzip_oldest()

    def copytruncate(self) -> None:
        """From outside, to a name among the siblings. The hole it leaves is not truncated again:
        two generations that begin with the same 1 KiB of NULs cannot be told apart."""
        if self.hollow or not os.path.getsize(self.live.path):
            return
        stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
        millisecond = time.time_ns() // 1_000_000 % 1000
        copy = self.live.path.with_name(f"audit-{stamp}.{millisecond:03d}.log")
        if copy.exists():
            return
        shutil.copyfile(self.live.path, copy)
        self.finished.append(copy.read_bytes())
        os.truncate(self.live.path, 0)
        self.hollow = True
        self.append()  # the hole appears with the next write

    def everything(self) -> bytes:
        return b"".join(self.finished) + self.live.path.read_bytes()


def torture(
    place: Place,
    *,
    kills: int,
    seed: int,
    max_bytes: str,
    progress: Callable[[], int] = lambda: 0,
    least: int = 0,
) -> None:
    """Kill the daemon `kills` times at random moments, then compare and verify.

    Each time it is left alive until `progress` has grown by `least`, and for some time beyond.
    """
    dice = random.Random(seed)
    config = place.root / "config.yaml"
    batch = {"max_bytes": max_bytes, "max_age": "100ms", "heartbeat": "1s"}
    # Three calls in ten that fail, some of them in a row, can hold up a record for seconds.
    patient = {"drain": "60s"}
    config.write_text(place.yaml(batch=batch, shutdown=patient, logging={"level": "error"}))
    run = [*AUDIT_SHIPPER, "run", "--config", str(config)]
    writer = Writer(place.log, dice)
    for _ in range(kills):
        began = progress()
        daemon = subprocess.Popen(run)
        until = time.monotonic() + dice.uniform(0.3, 1.5)
        while time.monotonic() < until or progress() < began + least:
            writer.act()
            time.sleep(dice.uniform(0, 0.03))
            assert daemon.poll() is None, f"seed {seed}: it ended by itself"
        daemon.send_signal(signal.SIGKILL)
        assert daemon.wait() == -signal.SIGKILL
        for _ in range(dice.randrange(8)):
            writer.act()
    writer.live.close()
    subprocess.run([*run, "--once"], check=True, timeout=120)
    expected, archived = writer.everything(), place.archived()
    assert len(archived) == len(expected), f"seed {seed}"
    assert archived == expected, f"seed {seed}"
    assert place.verify() == 0, (seed, place.said.getvalue())
