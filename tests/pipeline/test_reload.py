"""New rules without a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from shipper.config import Config
from shipper.logs import make_logger
from shipper.pipeline.guard import Guard, InForce
from shipper.pipeline.progress import Progress
from shipper.pipeline.reload import Reloader
from tests.daemon import Place


def test_files_that_break_the_reader_are_refused_like_any_others(tmp_path: Path) -> None:
    """It is said, and the next hangup is heard: nothing else ends the task that waits for it."""
    config = Place(tmp_path).config(rules={"catalog": "none"})
    said: list[str] = []
    reads = [RecursionError("too deep"), None]

    def reread() -> Config:
        error = reads.pop(0)
        if error:
            raise error
        return config

    guard, progress = Guard(InForce(None, "old")), Progress()
    logger = make_logger(level="info", form="json", write=said.append)

    async def two_hangups() -> None:
        reloader = Reloader(config, guard, reread=reread, logger=logger, progress=progress)
        running = asyncio.create_task(reloader.run())
        for result in ("refused", "ok"):
            reloader.ask()
            while progress.reload_result != result:
                assert not running.done()
                await asyncio.sleep(0.01)
        running.cancel()

    asyncio.run(two_hangups())
    assert "RecursionError: too deep" in said[0]
    assert guard.is_proposed
