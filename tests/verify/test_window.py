"""--since and --until: what is verified, what is not, and that the report says so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shipper.verify.request import Window
from tests.verify.archive import BEGIN, Log, codes, keys_of, objects, report, tall


def at(seq: int) -> datetime:
    """When manifest `seq` of the tall log was sealed."""
    return BEGIN + timedelta(seconds=10 * seq)


def batches(log: Log, first: int, last: int) -> int:
    """How many of these manifests are batches."""
    found = [int(key.rsplit("/", 1)[1][:12]) for key in keys_of(log, "events/")]
    return sum(first <= seq <= last for seq in found)


@pytest.mark.parametrize("depth", ["full", "chain"])
@pytest.mark.parametrize(
    ("since", "first"), [(0, 0), (100, 0), (256, 256), (300, 256), (512, 256), (599, 256)]
)
def test_it_begins_at_the_bundle_before(since: int, first: int, depth: str) -> None:
    """The walk begins at the last entry bundle before T, and goes on to the end."""
    log = tall()
    (one,) = report(log.store, window=Window(at(since)), depth=depth).logs
    assert (one.problems, one.first_seq) == ([], first)
    assert one.manifests == 600 - first
    if depth == "full":
        assert one.data_batches == batches(log, since, 600)


def test_until_limits_the_data_alone() -> None:
    """Manifests are verified to the end; data is read of the window only."""
    log = tall()
    (one,) = report(log.store, window=Window(at(260), at(450))).logs
    assert (one.problems, one.manifests) == ([], 344)
    assert one.data_batches == batches(log, 260, 450)
    assert (one.data_first_seq, one.data_last_seq) == (303, 403)
    (one,) = report(log.store, window=Window(None, at(450))).logs
    assert (one.manifests, one.data_batches) == (600, batches(log, 0, 450))


def test_damage_before_the_window_is_not_looked_at_but_bound() -> None:
    """A manifest before the start may be gone unnoticed; a forged tree over it may not."""
    log = tall()
    del objects(log)[keys_of(log, "manifest/")[7]]
    assert report(log.store, window=Window(at(300))).exit_code == 0
    tile = log.prefix + "tile/0/000"
    objects(log)[tile] = bytes(8192)
    assert "checkpoint-root" in codes(report(log.store, window=Window(at(300))))


def test_damage_in_the_window_is_noticed() -> None:
    """Within the window data and manifests are checked as ever."""
    log = tall()
    del objects(log)[keys_of(log, "manifest/")[400]]
    assert codes(report(log.store, window=Window(at(300)))) == {"manifest-missing"}
    log = tall()
    key = next(key for key in keys_of(log, "events/") if int(key.rsplit("/", 1)[1][:12]) > 300)
    objects(log)[key] = b""
    assert codes(report(log.store, window=Window(at(300)))) == {"data-hash"}


@pytest.mark.parametrize("gone", ["tile/0/000", "tile/entries/001"])
def test_without_tiles_it_begins_at_the_beginning(gone: str) -> None:
    """Where tiles or bundles cannot tell, everything is verified, and the loss is reported."""
    log = tall()
    del objects(log)[log.prefix + gone]
    (one,) = report(log.store, window=Window(at(599))).logs
    assert codes(one) == {"tile-missing" if gone.startswith("tile/0") else "bundle-missing"}
    assert one.first_seq == 0


def test_a_window_beyond_the_end_reads_no_data() -> None:
    """Nothing was sealed in the window: the chain is verified, and the report says so."""
    (one,) = report(tall().store, window=Window(at(10_000))).logs
    assert (one.data_batches, one.problems) == (0, [])
