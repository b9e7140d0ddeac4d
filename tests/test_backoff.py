"""The delays before a call is repeated."""

from __future__ import annotations

from shipper.backoff import Backoff


def test_delays_double_up_to_their_limit() -> None:
    """Each delay is drawn from the upper half of a bound that doubles, is capped, and resets."""
    drawn: list[tuple[float, float]] = []

    def highest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    backoff = Backoff(first=1, limit=5, uniform=highest)
    assert [backoff.delay() for _ in range(5)] == [1, 2, 4, 5, 5]
    assert drawn[:3] == [(0.5, 1), (1, 2), (2, 4)]
    backoff.reset()
    assert backoff.delay() == 1
