"""Two sets of rules on the same history."""

from __future__ import annotations

from shipper.backtest.compare import CHANGES, Comparison, Said
from tests.backtest.support import PLACE, hit


def said(*lines: int, undecided: tuple[int, ...] = (), user: str = "bob") -> Said:
    return Said({line: hit(user, line=line) for line in lines}, set(undecided))


def test_each_event_is_in_one_group() -> None:
    """New, gone, both; what a set could not decide is never taken for passed."""
    comparison = Comparison()
    comparison.add(
        PLACE, said(1, 2, 3, undecided=(4, 6)), said(2, 4, 5, undecided=(3, 7), user="eve")
    )
    lines = {
        change: [sample.finding.line for sample in group.samples]
        for change, group in comparison.groups.items()
    }
    assert lines == dict(zip(CHANGES, [[5], [1], [2], [4], [3]], strict=True))
    assert comparison.groups["both"].users == {"eve": 1}
    assert comparison.groups["gone"].users == {"bob": 1}


def test_comparisons_add_up() -> None:
    """Of two processes."""
    one, other = Comparison(), Comparison()
    one.add(PLACE, said(), said(1))
    other.add(PLACE, said(), said(1, 2))
    one.merge(other)
    assert one.groups["new"].matches == 3
