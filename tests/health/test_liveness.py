"""Dead is a collect loop that does not turn any more, and nothing else."""

from __future__ import annotations

from shipper.health.liveness import STILL_SECONDS, Pulse
from shipper.pipeline.progress import Progress


def test_a_loop_that_stands_still_is_counted() -> None:
    """From when it was last seen to turn; a turn sets it back."""
    progress, pulse = Progress(ready=True, turns=5), Pulse(100.0)
    assert pulse.still_seconds(progress, 101.0) == 0
    assert pulse.still_seconds(progress, 101.0 + STILL_SECONDS) == STILL_SECONDS
    progress.turns += 1
    assert pulse.still_seconds(progress, 500.0) == 0


def test_a_start_and_a_stop_may_take_their_time() -> None:
    """Before reading has begun, and while what is left is shipped, the loop does not turn."""
    progress, pulse = Progress(), Pulse(0.0)
    assert pulse.still_seconds(progress, 1000.0) == 0
    progress.ready = True
    assert pulse.still_seconds(progress, 1010.0) == 10
    progress.stopping = True
    assert pulse.still_seconds(progress, 2000.0) == 0
