"""What a life of the daemon looked like from outside. Says what may be; measures one process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.process import MIB, memory
from bench.table import Row, at_most, known

MOST_RISE_KIB = 2048
"""Of the fitted line over a life: a step or two of the allocator, and no more in a longer life. A
leak of 100 bytes an event is twelve times as much in five minutes."""
MOST_LEFT_OPEN = 2
"""How much the floor of the open descriptors may rise: what is open for a moment comes and goes."""


class Sample(NamedTuple):
    """One look at the process."""

    seconds: float
    rss_bytes: int
    descriptors: int


def look(pid: int, seconds: float) -> Sample:
    """Now, so many seconds after its start."""
    return Sample(seconds, memory(pid, "VmRSS"), len(os.listdir(f"/proc/{pid}/fd")))


def slope_kib_per_minute(samples: Sequence[Sample]) -> float:
    """Of the straight line with the least squares through the resident sizes."""
    middle = sum(one.seconds for one in samples) / len(samples)
    spread = sum((one.seconds - middle) ** 2 for one in samples)
    along = sum((one.seconds - middle) * one.rss_bytes for one in samples)
    return along / spread / 1024 * 60


def settled(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Without the first third, in which a process grows to its working size."""
    return samples[len(samples) // 3 :]


def left_open(samples: Sequence[Sample]) -> int:
    """By how much the fewest descriptors of the last third exceed those of the first."""
    third = len(samples) // 3
    floors = [min(one.descriptors for one in part) for part in (samples[:third], samples[-third:])]
    return floors[1] - floors[0]


def rows(name: str, samples: Sequence[Sample]) -> Iterator[Row]:
    """The table's rows on one life."""
    calm = settled(samples)
    minutes = (calm[-1].seconds - calm[0].seconds) / 60
    slope = slope_kib_per_minute(calm)
    peak = max(one.rss_bytes for one in samples) / MIB
    most = round(MOST_RISE_KIB / minutes)
    yield at_most(f"{name}, RSS over {minutes:.1f} min", slope, most, "KiB/min")
    yield known(f"{name}, largest RSS", peak, "MiB", digits=1)
    yield at_most(f"{name}, descriptors left open", left_open(calm), MOST_LEFT_OPEN, "")
