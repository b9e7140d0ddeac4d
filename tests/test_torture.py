"""A writer that appends and rotates while the daemon is killed: byte equality, and verify 0."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.replay import LiveLog
from tests.daemon import Place

AUDIT_SHIPPER = [sys.executable, "-m", "shipper"]
BATCH = {"max_bytes": "64KiB", "max_age": "100ms", "heartbeat": "1s"}


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


def torture(place: Place, *, kills: int, seed: int) -> None:
    """Kill the daemon `kills` times at random moments, then compare and verify."""
    dice = random.Random(seed)
    config = place.root / "config.yaml"
    config.write_text(place.yaml(batch=BATCH, logging={"level": "warning"}))
    run = [*AUDIT_SHIPPER, "run", "--config", str(config)]
    writer = Writer(place.log, dice)
    for _ in range(kills):
        daemon = subprocess.Popen(run)
        until = time.monotonic() + dice.uniform(0.3, 1.5)
        while time.monotonic() < until:
            writer.act()
            time.sleep(dice.uniform(0, 0.03))
        daemon.send_signal(signal.SIGKILL)
        assert daemon.wait() == -signal.SIGKILL
        for _ in range(dice.randrange(8)):
            writer.act()
    writer.live.close()
    subprocess.run([*run, "--once"], check=True, timeout=120)
    expected, archived = writer.everything(), place.archived()
    assert len(archived) == len(expected), f"seed {seed}"
    assert archived == expected, f"seed {seed}"
    verify = [*AUDIT_SHIPPER, "verify", place.url, "--key", str(place.public)]
    verified = subprocess.run(verify, check=False, capture_output=True, text=True, timeout=120)
    assert verified.returncode == 0, (seed, verified.stdout, verified.stderr)


def test_nothing_is_lost_or_doubled(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """After kill -9 at random moments of writing and rotating the archive is the log."""
    kills = pytestconfig.getoption("--torture-kills")
    seed = random.SystemRandom().randrange(2**32)
    torture(Place(tmp_path), kills=kills, seed=seed)
