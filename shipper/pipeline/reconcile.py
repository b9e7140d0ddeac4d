"""Asks the API server now and then whether all that it wrote was read, and seals what was not.

Nothing else notices a live file that somebody deleted while nobody looked, an event that was too
big for the log, or lines that no API server wrote. docs/completeness.md tells its limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shipper.audit.counters import Counters
from shipper.errors import ShipperError
from shipper.logs import Logger
from shipper.model import Counted, Notice
from shipper.pipeline.balance import Balance, Difference, Sample
from shipper.pipeline.progress import Progress
from shipper.store.attempts import Attempts

FLUSH_SECONDS = 1.5
"""From being counted to being in the file: the log backend writes one event at a time, unless it is
told to gather them (`--audit-log-batch-max-size`)."""

CAUGHT_UP_SECONDS = 30.0
"""How long the reader may take to the log's end; while it has a backlog nothing is compared."""

FAILED = (
    "the API server could not write them, because its disk was full or because they were larger"
    " than --audit-log-maxsize"
)
MISSING = "the API server counts them as written, and they were never in the log that was read"
GAINED = "they were in the log that was read, and the API server does not count them as written"

_SCRAPE_SECONDS = 20.0
_POLL_SECONDS = 0.1


class Reconciler:
    """For one event loop."""

    def __init__(
        self,
        scrape: Callable[[], Counters],
        *,
        every_seconds: float,
        tell: Callable[[Notice], None],
        progress: Progress,
        logger: Logger,
    ) -> None:
        """`scrape` blocks, and raises `ShipperError`; `tell` has a notice sealed."""
        self._scrape = scrape
        self._every_seconds = every_seconds
        self._tell = tell
        self._progress = progress
        self._logger = logger
        self._attempts = Attempts()
        self._balance = Balance()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._sample()
            await asyncio.sleep(self._every_seconds)

    async def _sample(self) -> None:
        if not await self._caught_up():
            return
        before = self._progress.audit_events
        counters = await self._ask()
        if counters is None:
            return
        await asyncio.sleep(FLUSH_SECONDS)
        if not await self._caught_up() or self._progress.stopping:
            return  # what is told from now on nobody would seal
        self._progress.counted = Counted(counters.events, counters.failed, int(counters.started))
        found = self._balance.add(Sample(counters, before, self._progress.audit_events))
        if found is None:
            self._logger.info("apiserver_counted", events=counters.events)
        else:
            self._progress.balances += 1
            self._say(found)

    async def _ask(self) -> Counters | None:
        """The counters now; None, and a trouble, if they cannot be had."""
        try:
            counters = await self._attempts.run(self._scrape, within_seconds=_SCRAPE_SECONDS)
        except Exception as error:  # noqa: BLE001 this ends with no answer, whatever is in it
            says = str(error) if isinstance(error, ShipperError) else repr(type(error))
            if not self._progress.apiserver_trouble:
                self._logger.warning("apiserver_unreadable", error=says)
            self._progress.apiserver_trouble = says
            return None
        self._progress.apiserver_trouble = ""
        return counters

    async def _caught_up(self) -> bool:
        """Wait until the reader comes to the log's end once more; False if it has a backlog."""
        seen = self._progress.ends
        try:
            async with asyncio.timeout(CAUGHT_UP_SECONDS):
                while self._progress.ends == seen:  # noqa: ASYNC110 a count of another thread's
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            return False
        return True

    def _say(self, found: Difference) -> None:
        self._progress.events_failed += found.failed
        self._progress.events_missing += found.missing
        self._progress.events_gained += found.gained
        if found.failed:
            self._logger.error("events_failed", events=found.failed)
            self._tell(Notice("gap", f"{found.failed} events: {FAILED}"))
        if found.missing:
            self._logger.error("events_missing", events=found.missing)
            self._tell(Notice("gap", f"at least {found.missing} events: {MISSING}"))
        if found.gained:
            self._logger.error("events_gained", events=found.gained)
            self._tell(Notice("source-edited", f"at least {found.gained} events: {GAINED}"))
