"""A watch's port, where one is asked for: this folder's composition root."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shipper.logs import Logger
from shipper.watch.run import Watch


@asynccontextmanager
async def listening(
    listen: str, watching: Watch, *, every_seconds: float, logger: Logger
) -> AsyncIterator[None]:
    """Answer at `listen` (`address:port`; empty: nowhere) meanwhile."""
    if not listen:
        yield
        return
    from shipper.health.server import Server, parted
    from shipper.watch.pages import Pages

    pages = Pages(lambda: watching.last, every_seconds=every_seconds, monotonic=time.monotonic)
    server = Server(pages.answer, logger=logger).run(*parted(listen))
    running = asyncio.create_task(server, name="health")
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})
