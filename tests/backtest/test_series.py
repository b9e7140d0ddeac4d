"""Timelines as bars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shipper.backtest.series import MOST_BARS, series
from shipper.backtest.timeline import Timeline

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def at(*moments: datetime) -> Timeline:
    timeline = Timeline()
    for moment in moments:
        timeline.add(f"{moment.isoformat()[:19]}Z")
    return timeline


@pytest.mark.parametrize(
    ("span", "width"),
    [
        (timedelta(minutes=30), "minute"),
        (timedelta(hours=5), "5 minutes"),
        (timedelta(days=2), "hour"),
        (timedelta(days=30), "12 hours"),
        (timedelta(days=60), "day"),
        (timedelta(days=365), "7 days"),
    ],
)
def test_bars_fit_the_time_asked_about(span: timedelta, width: str) -> None:
    """Neither one bar nor a thousand; what happened is in one of them."""
    found = series(at(_BEGIN, _BEGIN + span), _BEGIN, _BEGIN + span)
    assert found.width == width
    assert len(found.bars) <= MOST_BARS
    assert sum(bar.many for bar in found.bars) == 2
    assert (found.bars[0].many, found.bars[-1].many) == (1, 1)


def test_gaps_are_shown() -> None:
    """An hour without anything is a bar of nothing, and so is the time before the first."""
    found = series(at(_BEGIN + timedelta(minutes=2)), _BEGIN, _BEGIN + timedelta(minutes=4))
    assert [bar.many for bar in found.bars] == [0, 0, 1, 0, 0]


def test_absurd_times_make_no_long_chart() -> None:
    """A line may claim any year; what has no time at all is counted beside."""
    timeline = at(datetime(1, 1, 1, tzinfo=UTC), _BEGIN)
    timeline.add("when?")
    found = series(timeline, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
    assert len(found.bars) <= MOST_BARS
    assert (sum(bar.many for bar in found.bars), found.timeless) == (2, 1)


def test_nothing_has_no_bars() -> None:
    """An empty history is an empty chart."""
    assert series(Timeline(), None, None).bars == []
