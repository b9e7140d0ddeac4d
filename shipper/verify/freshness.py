"""Whether a log's newest manifest is as young as asked. Pure: the present comes in.

Asks nothing of a log that another has taken over from.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shipper.verify.outcome import Outcome

FUTURE_TOLERANCE = timedelta(minutes=5)
"""How far a node's clock may be ahead of the verifier's."""


def check(outcome: Outcome, max_age_seconds: float, now: datetime) -> None:
    """Write down what speaks against the log's being fresh."""
    head = outcome.head
    if head is None or head.wall is None:
        if not outcome.ledger.broken_off:
            outcome.ledger.add("undated")
        return
    age = (now - head.wall).total_seconds()
    if age > max_age_seconds:
        detail = f"{age:.0f} s old, {max_age_seconds:.0f} s were asked"
        outcome.ledger.add("stale", detail, seq=head.seq)
    elif head.wall - now > FUTURE_TOLERANCE:
        outcome.ledger.add("future", f"by {-age:.0f} s", seq=head.seq)
