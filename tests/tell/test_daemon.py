"""The whole daemon tells what its spool holds, and `status` says how each receiver stands."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner
from msgspec import structs

from shipper.cli.main import commands
from shipper.config import Config
from shipper.tell.outbox import Outbox
from tests.daemon import Place
from tests.tell.support import Said, alerts, receivers, serving


def told_by(place: Place, url: str) -> Config:
    section = {"type": "webhook", "name": "soc", "url": url}
    return structs.replace(place.config(shutdown={"drain": "2s"}), alerts=receivers(section))


def leave_alerts(place: Place, seq: int) -> None:
    """As a daemon that was killed just after the commit of record `seq` leaves them."""
    outbox = Outbox(place.spool, ["soc"], newest=seq - 1, logger=Said().logger)
    outbox.put(alerts(seq))


def status(place: Place, config_path: Path, *options: str) -> str:
    config_path.write_text(place.yaml())
    result = CliRunner().invoke(commands, ["status", "--config", str(config_path), *options])
    assert result.exit_code == 0
    return result.output


def test_the_next_start_tells_what_the_last_one_could_not(tmp_path: Path) -> None:
    """Though nothing new is read; and without receivers no queue is made."""
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    assert place.once() == 0
    assert not (place.spool / "alerts").exists()
    leave_alerts(place, 2)

    async def life() -> None:
        async with serving() as server:
            assert await place.life(config=told_by(place, server.url)) == 0
            (got,) = server.got
            assert got.json["data"]["alerts"][0]["evidence"]["seq"] == 2

    asyncio.run(life())
    assert json.loads(status(place, tmp_path / "c.yaml", "--output", "json"))["alerts"] == {
        "soc": {"told": 1, "held_back": 0, "dead": 0, "pending_records": 0, "trouble": ""}
    }


def test_once_with_a_receiver_that_is_away(tmp_path: Path) -> None:
    """`run --once` seals and ships all, ends with 3, and says who was not told; `status` too."""
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    place.once()
    leave_alerts(place, 2)
    assert place.once(config=told_by(place, "http://127.0.0.1:9/hook")) == 3
    assert '"receivers": ["soc"], "event": "alerts_waiting"' in place.said.getvalue()
    assert place.archived() == b"one\n"
    shown = status(place, tmp_path / "c.yaml")
    assert "alerts soc               told 0, held back 0, dead 0, pending records 1" in shown
    assert "trouble cannot be reached: Connection refused" in shown
