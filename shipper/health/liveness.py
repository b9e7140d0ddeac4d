"""Is the daemon hung? Pure: counts and the time come in.

Dead is only a collect loop that does not turn any more. A store that is down, a log that cannot be
read, a disk that refuses: each is waited for, turn by turn, and to start anew would mend none.
"""

from __future__ import annotations

from shipper.pipeline.progress import Progress

STILL_SECONDS = 120.0
"""An idle loop turns every second, one that waits for a disk or a permission every 30 s at the
least; the rest is for an fsync that takes long."""


class Pulse:
    """Remembers when the collect loop was last seen to turn. Times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._turns = -1
        self._moved = now

    def still_seconds(self, progress: Progress, now: float) -> float:
        """For how long the loop has not turned; 0 before it begins and once it is to end."""
        turning = progress.ready and not progress.stopping
        if progress.turns != self._turns or not turning:
            self._turns, self._moved = progress.turns, now
        return now - self._moved
