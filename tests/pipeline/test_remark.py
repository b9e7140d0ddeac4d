"""Somebody is told when the log was touched, with the sealed notice as evidence."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from shipper.model import Notice, Reason
from shipper.pipeline.remark import KINDS, remark
from tests.daemon import Place
from tests.tell.support import receivers, serving

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize("reason", get_args(Reason))
def test_only_what_was_done_to_the_log_is_told(reason: Reason) -> None:
    """Not what the daemon tells of itself: a full spool, a clock, a configuration."""
    found = remark(Notice(reason, "as a test"), NOW)
    touched = reason == "gap" or reason.startswith("source-")
    assert (reason in KINDS, len(found)) == (touched, int(touched))
    assert all(one.rule == f"audit-shipper.{reason}" for one in found)
    assert remark(None, NOW) == []


def test_a_truncated_log_is_told_once_it_is_sealed(tmp_path: Path) -> None:
    """The alert names the notice's record."""
    place = Place(tmp_path)
    place.log.write_bytes(b"one\ntwo\nthree\n")
    place.once()

    async def life() -> None:
        async with serving() as server:
            told = receivers({"type": "webhook", "name": "soc", "url": server.url})
            config = place.config(alerts=[{"type": "webhook", "name": "soc", "url": server.url}])
            assert config.alerts == told
            place.log.write_bytes(b"four\n")
            assert await place.life(config=config) == 0
            (alert,) = [one for got in server.got for one in got.json["data"]["alerts"]]
            assert alert["finding"]["severity"] in ("high", "critical")
            assert alert["finding"]["rule"].startswith("audit-shipper.")
            manifests = place.archive.glob(f"c1/n1/*/manifest/{alert['evidence']['seq']:012d}-*")
            (manifest,) = manifests
            assert alert["finding"]["message"].split()[0] in manifest.read_text()

    asyncio.run(life())
