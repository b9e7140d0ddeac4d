"""Between seal and alert: whatever stops, each alert goes out, and none without its record."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from pathlib import Path
from typing import get_args

import pytest

from shipper.errors import SpoolError
from tests.daemon import Place
from tests.faults import Crash, Fault, FaultyDisk
from tests.tell.life import Witness, live
from tests.tell.support import serving

RECORDS = 2


def test_without_a_fault_each_is_told_once(tmp_path: Path) -> None:
    """In order, with the evidence that lies in the spool."""

    async def life() -> None:
        place = Place(tmp_path)
        witness = Witness(place.spool)
        async with serving() as server:
            server.on_request = witness.hear
            await live(place, server.url, records=20)
            await live(place, server.url, records=20)
        assert witness.told == dict.fromkeys(range(20), 1)
        assert list(witness.told) == list(range(20))
        assert not witness.wrong

    asyncio.run(life())


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_durable_step(tmp_path: Path, fault: Fault) -> None:
    """After a fault at any step and one more start, what was sealed was told, at most twice; never
    was it told before its record was committed, or of a record that then came to be another."""

    async def life(root: Path, disk: FaultyDisk) -> Witness:
        place = Place(root)
        witness = Witness(place.spool)
        async with serving() as server:
            server.on_request = witness.hear
            try:
                await live(place, server.url, records=RECORDS, disk=disk)
            except (Crash, SpoolError, BaseExceptionGroup):
                disk.dead = True
            sealed = sorted(int(path.stem) for path in place.spool.glob("*.sealed"))
            await live(place, server.url, records=RECORDS, calm=True)
        assert sorted(witness.told) == sealed
        return witness

    step = 0
    while True:
        root, disk = tmp_path / str(step), FaultyDisk(step, fault)
        witness = asyncio.run(life(root, disk))
        assert not witness.wrong, (step, witness.wrong)
        assert max(witness.told.values(), default=0) <= 2, (step, witness.told)
        if not disk.reached:
            assert witness.told == dict.fromkeys(range(RECORDS), 1)
            break
        shutil.rmtree(root)
        step += 1
    assert step > 20


def test_kill_9_between_seal_and_alert(tmp_path: Path) -> None:
    """A daemon that is killed while its receiver does not answer: the next one tells it."""

    async def life() -> None:
        place = Place(tmp_path)
        witness = Witness(place.spool)
        async with serving() as server:
            server.delay_seconds = 60
            script = (
                "import asyncio, sys; from pathlib import Path; from tests.daemon import Place;"
                "from tests.tell.life import live;"
                "asyncio.run(live(Place(Path(sys.argv[1])), sys.argv[2], records=2))"
            )
            command = [sys.executable, "-c", script, str(tmp_path), server.url]
            process = await asyncio.create_subprocess_exec(*command)
            try:
                deadline = time.monotonic() + 20
                while not (place.spool / "000000000001.sealed").exists():
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.01)
            finally:
                process.kill()
                await process.wait()
            server.delay_seconds = 0
            server.on_request = witness.hear
            await live(place, server.url, records=2)
        assert witness.told == {0: 1, 1: 1}
        assert not witness.wrong

    asyncio.run(life())
