"""A loss is known once it is certain, and nothing is called a loss that is none."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.audit.counters import Counters
from shipper.pipeline.balance import LASTS, TOLERANCE, Balance, Difference, Sample

STARTED = 1.7e9
NOTHING = Difference()


class Node:
    """An API server and a reader. Between two samples events are counted, written and read in the
    way that a test says."""

    def __init__(self, *, counted_before: int = 5000, backlog: int = 0) -> None:
        self.events = counted_before
        self.failed = 0
        self.in_file = backlog
        self.started = STARTED
        self.balance = Balance()

    def write(self, count: int, *, lost: int = 0, failed: int = 0, forged: int = 0) -> None:
        """So many are counted; some of them never come into the file that is read."""
        self.events += count
        self.failed += failed
        self.in_file += count - lost - failed + forged

    def sample(
        self, *, meanwhile: int = 0, unread: int = 0, in_flight: int = 0
    ) -> Difference | None:
        """Some were not read yet at the scrape; some come between the scrape and the log's end;
        some are counted and written only after that."""
        before = self.in_file - unread
        self.events += in_flight
        counters = Counters(self.events, self.failed, self.started)
        self.write(meanwhile)
        found = self.balance.add(Sample(counters, before, self.in_file))
        self.in_file += in_flight
        return found


def test_a_quiet_log_is_balanced() -> None:
    """The first sample is the beginning; what was counted before it is nobody's loss."""
    node = Node()
    assert node.sample() is None
    for _ in range(10):
        node.write(3)
        assert node.sample() == NOTHING


def test_a_deleted_file_is_noticed_within_three_samples() -> None:
    """Its events are counted and never come; told once, with how many at least."""
    node = Node()
    node.sample()
    found = []
    for _ in range(6):
        node.write(200, lost=200)
        found.append(node.sample())
    told = [one.missing for one in found if one and one.missing]
    assert found[: LASTS - 1] == [NOTHING] * (LASTS - 1)
    assert sum(told) >= 600
    assert sum(told) <= 1200
    after = [node.sample() for _ in range(2 * LASTS)]
    assert sum(one.missing for one in after if one) + sum(told) == 1200


def test_a_small_loss_shows_once_it_has_grown() -> None:
    """A few at a time; never more is told than was lost."""
    node, told = Node(), 0
    node.sample()
    for round_ in range(40):
        node.write(100, lost=5)
        found = node.sample(meanwhile=7)
        assert found is not None
        told += found.missing
        assert told <= 5 * (round_ + 1)
    assert told >= 100


def test_what_the_server_could_not_write_is_told_at_once() -> None:
    """It says so itself; and is not told again as missing."""
    node = Node()
    node.sample()
    node.write(500, failed=80)
    assert node.sample() == Difference(failed=80)
    for _ in range(5):
        assert node.sample() == NOTHING


def test_lines_that_nobody_wrote_are_noticed() -> None:
    """Somebody adds to the log: known with the next sample, and told once."""
    node = Node()
    for _ in range(LASTS):
        node.sample()
    node.write(10, forged=300)
    assert node.sample() == Difference(gained=300)
    for _ in range(2 * LASTS):
        node.write(10)
        assert node.sample() == NOTHING


def test_a_new_process_is_a_new_beginning() -> None:
    """It counts from 0; what was lost before is not carried over."""
    node = Node()
    node.sample()
    node.write(100, lost=100)
    node.sample()
    node.started, node.events, node.failed = STARTED + 60, 7, 0
    assert node.sample() is None
    for _ in range(5):
        node.write(20)
        assert node.sample() == NOTHING


@pytest.mark.parametrize("first", [0, 5000])
def test_a_slow_disk_is_neither_loss_nor_gain(first: int) -> None:
    """Thousands are counted and not written yet, but not in three samples in a row; nor are they
    taken for additions when they come."""
    node = Node()
    node.sample(in_flight=first)
    node.sample()
    for _ in range(10):
        node.write(50)
        assert node.sample(in_flight=5000) == NOTHING
        assert node.sample(in_flight=5000) == NOTHING
        for _ in range(2 * LASTS):
            assert node.sample() == NOTHING


def test_the_start_of_a_process_moves_with_the_clock() -> None:
    """The kernel knows it by the wall clock: a second's correction is no new process."""
    node = Node()
    for second in range(LASTS):
        node.started = STARTED + second % 2
        node.sample()
    node.write(100, forged=100)
    assert node.sample() == Difference(gained=100)


def test_what_a_new_process_could_not_write_is_told() -> None:
    """It counts from 0, so all of it is since the last sample; but not what one counts that was
    known before: behind a load balancer several answer in turns."""
    node = Node()
    node.failed = 7
    assert node.sample() is None
    node.started, node.events, node.failed = STARTED + 60, 90, 80
    assert node.sample() == Difference(failed=80)
    assert node.sample() == NOTHING
    node.started, node.events, node.failed = STARTED, 5000, 7
    assert node.sample() is None
    node.started, node.events, node.failed = STARTED + 60, 90, 80
    assert node.sample() is None


@given(seed=st.integers(0, 2**32))
def test_no_difference_is_found_where_there_is_none(seed: int) -> None:
    """Whatever is unread, in flight or written meanwhile at each sample; a slow disk now and then
    holds back thousands."""
    chance = random.Random(seed)
    node = Node(counted_before=chance.randrange(10**6), backlog=chance.randrange(10**6))
    node.sample(meanwhile=chance.randrange(1000))
    for round_ in range(20):
        node.write(chance.randrange(5000))
        found = node.sample(
            meanwhile=chance.randrange(2000),
            unread=chance.randrange(500),
            in_flight=chance.randrange(TOLERANCE) if round_ % LASTS else chance.randrange(5000),
        )
        assert found == NOTHING


@given(seed=st.integers(0, 2**32), lost=st.integers(1, 500))
def test_never_more_is_told_than_was_lost(seed: int, lost: int) -> None:
    """A number in a sealed notice is one that can be sworn to."""
    chance = random.Random(seed)
    node, told, gone = Node(), 0, 0
    node.sample()
    for _ in range(30):
        some = chance.randrange(lost + 1)
        gone += some
        node.write(chance.randrange(some, some + 1000), lost=some)
        found = node.sample(meanwhile=chance.randrange(200), unread=chance.randrange(50))
        assert found is not None
        told += found.missing
        assert told <= gone
        assert found.gained == 0


@pytest.mark.parametrize("seconds", [STARTED, STARTED + 1])
def test_counters_that_fall_are_a_new_beginning(seconds: float) -> None:
    """Also where the start's time is the same: another server answers."""
    node = Node()
    node.sample()
    node.events, node.started = 10, seconds
    assert node.sample() is None
