"""Versions, delete markers and locks: nothing hides evidence, and what is not locked is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shipper.store.base import Lock
from shipper.verify.cat import cat
from shipper.verify.request import Retention
from shipper.verify.text import render
from tests.verify.archive import BEGIN, PREFIX, codes, keys_of, report, signer, small, tall
from tests.verify.attacks import fresh
from tests.verify.versions import VERSIONS, YEAR, Bucket, Interference


@pytest.mark.parametrize("row", VERSIONS, ids=str)
def test_interference_is_noticed_and_hides_nothing(row: Interference) -> None:
    """What lies over an object or hides it is reported; what lies below verifies all the same."""
    bucket = Bucket(fresh(row.base))
    row.do(bucket)
    found = report(bucket, **row.asked)
    assert codes(found) == row.codes
    assert found.exit_code == row.exit_code


@pytest.mark.parametrize("depth", ["full", "chain"])
def test_a_repeated_upload_is_no_interference(depth: str) -> None:
    """A version with an object's own bytes, which a lost answer may leave, is counted, no more."""
    bucket = Bucket(tall())
    for key in list(bucket.stored):
        bucket.overlay(key, bucket.log.store.get(key, max_bytes=10**9))
    found = report(bucket, depth=depth)
    assert (found.exit_code, codes(found)) == (0, set())
    assert found.logs[0].copies > 0
    assert "that repeat an object's bytes" in render(found)


def test_events_below_other_versions_are_printed() -> None:
    """`cat` gives the sealed bytes, whatever was put over them."""
    bucket = Bucket(small())
    for key in keys_of(bucket.log, "events/"):
        bucket.overlay(key, b"nothing to see here\n")
        bucket.hide(key)
    written: list[bytes] = []
    list(cat(bucket, [signer().key], written.append))
    assert b"".join(written) == bucket.log.raw


def test_every_version_is_locked() -> None:
    """With all locks as asked retention holds; how many there are and the first end is said."""
    bucket = Bucket(tall())
    bucket.locks[PREFIX + "tile/0/000", 1] = Lock("COMPLIANCE", YEAR - timedelta(days=5))
    found = report(bucket, retention=Retention(BEGIN + timedelta(days=300)))
    assert (found.verdicts.retention, found.exit_code) == ("holds", 0)
    (log,) = found.logs
    assert log.locked_versions == len(bucket.stored)
    assert log.first_lock_ends == YEAR - timedelta(days=5)
    assert f"{len(bucket.stored)} object versions, the first until 2027-11-18" in render(found)


@pytest.mark.parametrize(("asked", "code"), [("GOVERNANCE", 0), ("COMPLIANCE", 6)])
def test_governance_is_enough_where_it_is_asked(asked: str, code: int) -> None:
    """And is not where it is not."""
    bucket = Bucket(small(), lock=Lock("GOVERNANCE", YEAR))
    retention = Retention(YEAR, asked)  # type: ignore[arg-type]
    assert report(bucket, retention=retention).exit_code == code


def test_retention_is_asked_only_if_it_is() -> None:
    """Without --locked-until no lock is looked at."""
    bucket = Bucket(small(), lock=None)
    bucket.silent = True
    assert report(bucket).verdicts.retention == "not asked"


def test_a_store_without_locks_cannot_hold_retention() -> None:
    """A directory says nothing of locks: unknown, exit code 3."""
    found = report(small().store, retention=Retention(BEGIN))
    assert (found.verdicts.retention, found.exit_code) == ("unknown", 3)


def test_a_waived_lock_is_told() -> None:
    """The report says from where on manifests say that no lock was required."""
    log = small()
    log.lock_required = False
    log.add("heartbeat")
    log.end()
    (one,) = report(log.store).logs
    assert [(notice.seq, notice.reason) for notice in one.notices][-1] == (8, "lock-not-required")
