"""Counts over time in buckets that widen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shipper.backtest.timeline import MOST_BUCKETS, NO_TIME, Timeline, start_of

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def every(step: timedelta, count: int) -> Timeline:
    timeline = Timeline()
    for number in range(count):
        timeline.add(f"{_BEGIN + number * step:%Y-%m-%dT%H:%M:%S.%fZ}")
    return timeline


def test_a_short_time_is_counted_by_the_minute() -> None:
    """Two in one minute are in one bucket."""
    timeline = every(timedelta(seconds=30), 3)
    assert timeline.buckets == {"2026-01-01T00:00": 2, "2026-01-01T00:01": 1}


@pytest.mark.parametrize(
    ("days", "step"),
    [(2, "hour"), (90, "day"), (365 * 9, "month")],
    ids=["days", "months", "years"],
)
def test_buckets_widen_and_nothing_is_lost(days: int, step: str) -> None:
    """However long the history, there are few buckets, and their sum is what was counted."""
    count = 4000
    timeline = every(timedelta(days=days) / count, count)
    assert timeline.step == step
    assert len(timeline.buckets) <= MOST_BUCKETS
    assert sum(timeline.buckets.values()) == count


@pytest.mark.parametrize(
    "time", ["", "now", "2026-13-01T00:00:00Z", "2026-01-01 00:00:00", "٢" * 20]
)
def test_what_is_no_time_is_counted_apart(time: str) -> None:
    """It invents no bucket."""
    timeline = Timeline()
    timeline.add(time)
    assert timeline.buckets == {NO_TIME: 1}


def test_times_of_all_ages_are_bounded() -> None:
    """More months than there are buckets: the rest is counted in one."""
    timeline = Timeline()
    for year in range(1, 1000):
        for month in (1, 7):
            timeline.add(f"{year:04d}-{month:02d}-01T00:00:00Z")
    assert len(timeline.buckets) == MOST_BUCKETS + 1
    assert timeline.buckets[NO_TIME] == 2 * 999 - MOST_BUCKETS


def test_timelines_add_up_whatever_their_widths() -> None:
    """The wider of the two is the sum's."""
    minutes, days = every(timedelta(minutes=1), 3), every(timedelta(hours=1), 2000)
    assert days.step == "day"
    minutes.merge(days)
    assert minutes.step == "day"
    assert minutes.buckets["2026-01-01"] == 24 + 3


def test_a_bucket_begins_when_its_name_says() -> None:
    """A day that no calendar has begins never."""
    assert start_of("2026-01-01T05", "hour") == _BEGIN + timedelta(hours=5)
    assert start_of("2026-02", "month") == datetime(2026, 2, 1, tzinfo=UTC)
    assert start_of("2026-02-31", "day") is None
    assert start_of(NO_TIME, "day") is None
