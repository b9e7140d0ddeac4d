"""Run a program and say what it cost, from the kernel's own accounts.

CPU seconds are user + sys of the process and of every child it waited for (wait4, see `spawn.py`);
peak memory is the largest resident set among them. Nothing is injected into the program.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MIB = 1024 * 1024
_SAMPLE_SECONDS = 0.05
_SPAWN = str(Path(__file__).with_name("spawn.py"))
_CPUCLOCK_SCHED = 2


class Usage(NamedTuple):
    """What one run cost. `peak_rss` is in bytes, of the largest process."""

    cpu_seconds: float
    wall_seconds: float
    peak_rss: int
    peak_tree_pss: int
    """Bytes of the process and all its children, shared pages counted once; 0 if not sampled."""


class ProgramFailedError(Exception):
    """The program under measurement did not end well; the message has its last words."""


def measure(
    command: Sequence[str], *, log: Path, sample_tree: bool = False, expected: int = 0
) -> Usage:
    """Run `command` to its end; stdout and stderr go to `log`."""
    result = log.with_name(log.name + "-usage")
    with log.open("wb") as output:
        spawner = subprocess.Popen(
            [sys.executable, "-I", "-S", _SPAWN, str(result), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        sampler = _TreeSampler(spawner.pid) if sample_tree else None
        spawner.wait()
    peak_tree = sampler.finish() if sampler else 0
    if spawner.returncode != 0:
        raise failed(command, spawner.returncode, log)
    status, cpu, wall, peak = result.read_text().split()
    code = os.waitstatus_to_exitcode(int(status))
    if code != expected:
        raise failed(command, code, log)
    return Usage(float(cpu), float(wall), int(peak) * 1024, peak_tree)


def failed(command: Sequence[str], code: int, log: Path) -> ProgramFailedError:
    """The error for a `command` that ended with `code`."""
    words = log.read_text(errors="replace")[-2000:].strip() if log.exists() else ""
    return ProgramFailedError(f"{' '.join(command)}\nended with {code}:\n{words}")


def cpu_seconds(pid: int) -> float:
    """User + sys of a running process so far, all threads, to the nanosecond.

    The kernel's CPU clock of another process (clock_getcpuclockid(3)); /proc/<pid>/stat counts the
    same in steps of 10 ms, too coarse for an idle daemon.
    """
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED) / 1e9


def memory(pid: int, field: str) -> int:
    """Bytes, from /proc/<pid>/status: `VmRSS` now, `VmHWM` at its peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


class _TreeSampler:
    """Watches what runs below a process, from a thread, until `finish`."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tree-sampler", daemon=True)
        self._thread.start()

    def finish(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._peak

    def _run(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            below = _tree(self._pid)[1:]
            self._peak = max(self._peak, sum(map(_pss, below)))


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:  # grows while it is walked
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def _pss(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in text.splitlines() if line.startswith("Pss:")]
    return int(sizes[0]) * 1024 if sizes else 0
