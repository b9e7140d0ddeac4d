"""All loops together: a fault in one harms no other."""

from __future__ import annotations

import asyncio

from shipper.tell.courier import Courier
from shipper.tell.dispatcher import Dispatcher
from tests.tell.support import Said


class Broken(Courier):
    """A loop with a fault."""

    def __init__(self) -> None:
        self.name = "broken"
        self.is_finished = False

    async def run(self) -> None:
        raise RuntimeError("https://hooks.example.com/s3cret")

    def finish(self) -> None:
        self.is_finished = True

    @property
    def is_behind(self) -> bool:
        return True


class Waits(Broken):
    """A loop that runs until it is told to finish."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "waits"

    async def run(self) -> None:
        while not self.is_finished:  # noqa: ASYNC110 as long as this test lasts
            await asyncio.sleep(0.01)

    @property
    def is_behind(self) -> bool:
        return False


def test_a_fault_in_one_loop_harms_no_other() -> None:
    """It is logged without its text, which may hold a secret; the others run on and drain."""

    async def life() -> None:
        said, waits = Said(), Waits()
        dispatcher = Dispatcher((Broken(), waits), (), logger=said.logger)
        running = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0.03)
        assert not running.done()
        assert said.lines("alerts_stopped")[0]["receiver"] == "broken"
        assert "s3cret" not in said.text
        assert not await dispatcher.drain(running, within_seconds=5)
        assert waits.is_finished
        assert said.lines("alerts_waiting")[0]["receivers"] == ["broken"]

    asyncio.run(life())


def test_nobody_to_tell_is_nothing_to_do() -> None:
    """Without receivers it ends at once, and all is well."""

    async def life() -> None:
        dispatcher = Dispatcher((), (), logger=Said().logger)
        running = asyncio.create_task(dispatcher.run())
        dispatcher.committed(3)
        assert await dispatcher.drain(running, within_seconds=5)

    asyncio.run(life())
