"""The figures that a soak is judged by."""

from __future__ import annotations

from tests.soak.samples import Sample, left_open, rows, slope_kib_per_minute

KIB = 1024


def life(*, grown_kib: int = 0, left: int = 0, minutes: int = 6) -> list[Sample]:
    """A look every second at a process that grows by so much a minute, and wavers."""
    return [
        Sample(
            second,
            90_000 * KIB + grown_kib * KIB * second // 60 + (second % 7) * 40 * KIB,
            20 + second % 5 + left * second // (60 * minutes),
        )
        for second in range(minutes * 60)
    ]


def verdicts(samples: list[Sample]) -> list[bool | None]:
    return [row.ok for row in rows("life", samples)]


def test_the_slope_is_that_of_the_line() -> None:
    """What wavers does not count, what grows does."""
    assert abs(slope_kib_per_minute(life())) < 5
    assert abs(slope_kib_per_minute(life(grown_kib=300)) - 300) < 5


def test_a_steady_life_passes() -> None:
    """Neither memory nor descriptors are judged by what comes and goes."""
    assert verdicts(life()) == [True, None, True]


def test_a_leak_of_memory_is_found() -> None:
    """100 bytes an event at 500 events a second."""
    assert verdicts(life(grown_kib=100 * 500 * 60 // KIB))[0] is False


def test_a_leak_of_descriptors_is_found() -> None:
    """One with each outage or reload."""
    assert left_open(life(left=60)) > 20
    assert verdicts(life(left=60)) == [True, None, False]


def test_what_a_reload_takes_for_a_moment_is_no_leak() -> None:
    """Memory that is given back before the half-minute is over does not count, however much."""
    spikes = [
        one._replace(
            rss_bytes=one.rss_bytes + (one.seconds % 30 > 20) * int(one.seconds) * 60 * KIB
        )
        for one in life()
    ]
    assert slope_kib_per_minute(spikes) > 1000
    assert verdicts(spikes)[0] is True
