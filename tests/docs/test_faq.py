"""docs/faq-auditors.md says what the program does: its numbers, codes and the claims of its own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import yaml

from shipper import config
from shipper.model import Reason
from shipper.pipeline.recorder import CLOCK_STEP_SECONDS
from shipper.seal.merkle import TILE_WIDTH
from shipper.verify.freshness import FUTURE_TOLERANCE
from shipper.verify.report import COULD_NOT_CHECK, EXIT_CODES
from shipper.verify.request import Window
from tests.conftest import ROOT
from tests.docs.test_configuration import LEAST
from tests.verify.archive import BEGIN, Log, codes, keys_of, objects, tall, verify

PAGE = " ".join((ROOT / "docs" / "faq-auditors.md").read_text().split())
LATE = Window(since=BEGIN + timedelta(seconds=10 * 590))


def test_every_exit_code_stands_in_the_table() -> None:
    """With its verdict."""
    stated = dict(re.findall(r"\| (\d) \| (\w+)", PAGE))
    assert set(stated) == {str(code) for code in range(8)}
    assert all(stated[str(code)] == verdict for verdict, code in EXIT_CODES.items())
    assert f"| {COULD_NOT_CHECK} | it could not be checked" in PAGE


def test_its_numbers_are_those_of_the_program() -> None:
    """Defaults and limits."""
    loaded = config.parse(yaml.safe_dump(LEAST), {})
    assert f"every {loaded.batch.heartbeat:.0f} seconds unless configured" in PAGE
    assert f"({loaded.store.retention / 86400:.0f} days by default)" in PAGE
    assert (timedelta(minutes=5), 1) == (FUTURE_TOLERANCE, CLOCK_STEP_SECONDS)
    assert "more than five minutes ahead of *your* clock" in PAGE
    assert "jumped by more than a second" in PAGE
    assert f"bundles of {TILE_WIDTH} records" in PAGE


def test_every_notice_is_explained() -> None:
    """Each reason that a daemon can seal."""
    section = PAGE.partition("## What are notices")[2].partition("## ")[0]
    assert set(re.findall(r"`([a-z]+-?[a-z]+)`", section)) == set(get_args(Reason))


def test_a_sealed_gap_does_not_go_away() -> None:
    """It is told by each run, with a head file too; what came later verifies by itself."""
    log = tall()
    seen = {one.origin: one for one in verify(log.store).seen}
    log.notice("gap")
    later(log)
    for _ in range(2):
        told = verify(log.store, seen=seen)
        assert (told.report.exit_code, codes(told.report)) == (4, {"bytes-lost"})
        assert "bytes-lost" not in codes(verify(log.store, window=Window(log.wall)).report)
        seen = {one.origin: one for one in told.seen}


def later(log: Log) -> None:
    """Two bundles more."""
    for _ in range(2 * TILE_WIDTH):
        log.add("heartbeat", checkpoint=log.head.seq % 40 == 0)


def test_an_expiry_is_told_as_a_loss() -> None:
    """The oldest objects are gone, log.note with them: exit code 4, also of what came later."""
    log = tall()
    kept = objects(log)
    for key in [*keys_of(log, "manifest/")[:100], f"{log.prefix}log.note"]:
        del kept[key]
    assert verify(log.store).report.exit_code == 4
    assert verify(log.store, window=LATE).report.exit_code == 4
