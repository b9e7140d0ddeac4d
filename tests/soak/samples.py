"""What a life of the daemon looked like from outside. Says what may be; measures one process."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bench.process import MIB, memory
from bench.table import Row, at_most, known
from shipper.pipeline.ahead import AHEAD_RECORDS

MOST_RISE_KIB = 2048
"""Of the fitted line over a life: a step or two of the allocator, and no more in a longer life. A
leak of 100 bytes an event is twelve times as much in five minutes."""
MOST_LEFT_OPEN = AHEAD_RECORDS
"""How much the floor of the open descriptors may rise: a spell of a slow store leaves as many
connections in the client's pool as there are uploads at one time. A leak of one with each outage
or reload is some fifty in ten minutes."""

FLOOR_SECONDS = 30.0
"""Memory is judged by its lowest in so long: what a reload takes for a moment is given back."""


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


def floors(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The sample of the lowest resident size in each half-minute."""
    lowest: dict[int, Sample] = {}
    for one in samples:
        part = int(one.seconds // FLOOR_SECONDS)
        lowest[part] = min(lowest.get(part, one), one, key=lambda sample: sample.rss_bytes)
    return list(lowest.values())


def left_open(samples: Sequence[Sample]) -> int:
    """By how much the fewest descriptors of the last third exceed those of the first."""
    third = len(samples) // 3
    floors = [min(one.descriptors for one in part) for part in (samples[:third], samples[-third:])]
    return floors[1] - floors[0]


def rows(name: str, samples: Sequence[Sample]) -> Iterator[Row]:
    """The table's rows on one life."""
    calm = settled(samples)
    minutes = (calm[-1].seconds - calm[0].seconds) / 60
    slope = slope_kib_per_minute(floors(calm))
    peak = max(one.rss_bytes for one in samples) / MIB
    most = round(MOST_RISE_KIB / minutes)
    yield at_most(f"{name}, RSS over {minutes:.1f} min", slope, most, "KiB/min")
    yield known(f"{name}, largest RSS", peak, "MiB", digits=1)
    yield at_most(f"{name}, descriptors left open", left_open(calm), MOST_LEFT_OPEN, "")
