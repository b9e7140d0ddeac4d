"""From the configuration to a server that answers: this folder's composition root."""

from __future__ import annotations

import asyncio
import importlib
import time
from contextlib import suppress

from shipper.health.observe import Observer
from shipper.logs import Logger

PATIENCE_SECONDS = 1.0


async def serve(listen: str, observer: Observer, *, logger: Logger) -> None:
    """Answer at `listen` (`address:port`) until cancelled; empty: nowhere."""
    if not listen:
        return
    # aiohttp and prometheus_client take half a second and 10 MB: not where nobody asks, and not
    # before reading has begun, unless that takes long.
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not observer.progress.ready:  # noqa: ASYNC110 a count that others show, no event
                await asyncio.sleep(0.05)
    await asyncio.to_thread(importlib.import_module, "shipper.health.server")
    from shipper.health.pages import Pages
    from shipper.health.server import Server, parted

    pages = Pages(observer, monotonic=time.monotonic)
    await Server(pages.answer, logger=logger).run(*parted(listen))
