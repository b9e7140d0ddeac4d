"""Thresholds: matches per key within a duration of event time, in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shipper.rules import threshold
from shipper.rules.threshold import Counter

A, B = ("a",), ("b",)


def told(counter: Counter, *times: float, key: tuple[str, ...] = A) -> list[float]:
    return [time for time in times if counter.add(key, time)]


def test_it_tells_at_the_count() -> None:
    """The third match within ten seconds, and not the third at all."""
    assert told(Counter(3, 10), 0, 1, 2) == [2]
    assert told(Counter(3, 10), 0, 9, 10, 11) == [11]
    assert told(Counter(3, 10), 0, 10, 20, 30, 40) == []


def test_it_is_quiet_for_as_long_as_the_window() -> None:
    """However many there are; then it tells again if there are still enough."""
    assert told(Counter(2, 10), *range(25)) == [1, 11, 21]
    assert told(Counter(1, 10), 0, 5, 9, 10, 11, 20) == [0, 10, 20]


def test_a_quiet_key_is_known_beforehand() -> None:
    """Then nothing need be asked; a rule that must count on is never quiet."""
    counter = Counter(1, 10)
    assert not counter.is_quiet(A, 0)
    assert counter.add(A, 0)
    assert [counter.is_quiet(A, time) for time in (0, 9, 10)] == [True, True, False]
    assert not counter.is_quiet(B, 0)
    assert not counter.is_quiet(A, -10)
    many = Counter(2, 10)
    assert told(many, 0, 1) == [1]
    assert not many.is_quiet(A, 2)


def test_keys_are_counted_apart() -> None:
    """What one does is not counted against another."""
    counter = Counter(2, 10)
    assert not counter.add(A, 0)
    assert not counter.add(B, 1)
    assert counter.add(A, 2)


def test_events_may_come_a_little_late() -> None:
    """The API server's own order is off by parts of a second."""
    assert told(Counter(3, 10), 5.0, 4.6, 5.1) == [5.1]


def test_a_clock_that_was_set_back_begins_anew() -> None:
    """It must not keep the rule silent until the old time has come again."""
    counter = Counter(2, 10)
    assert told(counter, 1000, 1001) == [1001]
    assert told(counter, 5, 6) == [6]


def test_the_state_is_bounded_in_keys() -> None:
    """The key that was seen longest ago is forgotten first."""
    counter = Counter(2, 1e9)
    counter.add(A, 0)
    for number in range(threshold.MAX_KEYS):
        counter.add((str(number),), 0)
    assert len(counter) == threshold.MAX_KEYS
    assert not counter.add(A, 1)
    assert counter.add((str(threshold.MAX_KEYS - 1),), 1)


def test_the_state_is_bounded_in_moments() -> None:
    """A large count of a rule with many keys can not fill the memory."""
    counter = Counter(10_000, 1e9)
    for number in range(100_000):
        counter.add((str(number % 20),), number)
    assert len(counter) <= threshold.MAX_TIMES


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from([A, B]), st.floats(0, 100)), max_size=40),
)
def test_it_survives_any_order(count: int, matches: list[tuple[tuple[str, ...], float]]) -> None:
    """Times that jump about: it tells only with enough matches, and remembers no more."""
    counter = Counter(count, 10)
    seen: dict[tuple[str, ...], int] = {A: 0, B: 0}
    for key, time in matches:
        seen[key] += 1
        if counter.add(key, time):
            assert seen[key] >= count
    assert len(counter) <= 2 * count
