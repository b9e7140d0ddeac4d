"""What each receiver has been told so far, for whoever shows it. Counts; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Of one receiver since this start. Alerts are counted, but for `failed`, which counts tries.

    `trouble` is what the last try came to, empty once one succeeds.
    """

    receiver: str
    type: str
    told: int = 0
    failed: int = 0
    held_back: int = 0
    dead: int = 0
    trouble: str = ""
