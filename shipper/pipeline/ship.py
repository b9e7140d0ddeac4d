"""The ship loop: spool -> store, oldest first, for ever.

Order: events and findings, manifest, what the record completes of the tree, then a checkpoint
when one is due. A manifest in the store proves that its data is there. Shares nothing with the
collect loop but the spool.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from shipper.clock import Clock
from shipper.errors import ConflictError, SpoolError, StoreError
from shipper.logs import Logger
from shipper.model import Record, StoredObject
from shipper.pipeline.progress import Progress
from shipper.seal import layout
from shipper.spool.spool import Spool
from shipper.store.base import Store
from shipper.store.retrying import Backoff, RetryingStore

_REMINDER_SECONDS = 60.0


class Shipper:
    """Takes records from the spool and puts their objects into the store."""

    def __init__(
        self,
        spool: Spool,
        store: Store,
        *,
        log: str,
        checkpoint_every: float,
        clock: Clock,
        logger: Logger,
        progress: Progress,
        backoff: Backoff | None = None,
    ) -> None:
        self._spool = spool
        self._store = RetryingStore(store, backoff or Backoff(), failed=self._failed)
        self._url = store.url
        self._prefix = layout.log_prefix(log)
        self._checkpoint_every_ns = round(checkpoint_every * 1e9)
        self._clock = clock
        self._logger = logger
        self._progress = progress
        self._checkpoint: StoredObject | None = None
        self._checkpoint_shipped_ns: int | None = None
        self._failures = 0
        self._disk_backoff = Backoff()
        self._finishing = False
        self.committed = asyncio.Event()

    async def run(self) -> None:
        """Ship for ever; once told to `finish`, until all is shipped.

        After a conflict or on a damaged record nothing more is shipped; it is said again and
        again, since sealing goes on and only a person can mend it. Told to finish then, it
        raises the `ConflictError` or `SpoolError`.
        """
        try:
            while True:
                await self._ship_all()
                if self._finishing:
                    await self._ship_checkpoint()
                    return
                await self._wait()
        except (ConflictError, SpoolError) as error:
            while not self._finishing:
                self._progress.trouble = f"shipping stopped: {error}"
                self._logger.critical("shipping_stopped", store=self._url, error=str(error))
                await self._woken(_REMINDER_SECONDS)
            raise

    def finish(self) -> None:
        """Nothing more will be committed: `run` returns once the store has everything."""
        self._finishing = True
        self.committed.set()

    async def _ship_all(self) -> None:
        while (seq := self._spool.oldest_pending()) is not None:
            record = await asyncio.to_thread(self._spool.load, seq)
            for stored in (*record.before, record.manifest, *record.after):
                await self._put(stored)
            self._checkpoint = record.checkpoint
            if record.after or self._checkpoint_due():
                # One at every full entry bundle, for readers of tiles.
                await self._ship_checkpoint()
            await self._mark_shipped(seq)
            self._note_shipped(record)

    async def _wait(self) -> None:
        """Until a record is committed or a checkpoint is due."""
        if self._checkpoint is not None and self._checkpoint_due():
            await self._ship_checkpoint()
        if self._spool.oldest_pending() is None:
            await self._woken(self._checkpoint_every_ns / 1e9 if self._checkpoint else None)

    async def _woken(self, within_seconds: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self.committed.wait()
        if not self._finishing:
            self.committed.clear()

    async def _put(self, stored: StoredObject) -> None:
        await self._store.put(self._prefix + stored.key, stored.body)
        if self._failures:
            self._logger.info("store_recovered", store=self._url, after_failures=self._failures)
            self._failures = 0
            self._progress.trouble = ""

    async def _ship_checkpoint(self) -> None:
        if self._checkpoint is not None:
            await self._put(self._checkpoint)
            self._checkpoint = None
            self._checkpoint_shipped_ns = self._clock.now().monotonic_ns

    def _checkpoint_due(self) -> bool:
        if self._checkpoint_shipped_ns is None:
            return True
        waited = self._clock.now().monotonic_ns - self._checkpoint_shipped_ns
        return waited >= self._checkpoint_every_ns

    async def _mark_shipped(self, seq: int) -> None:
        """The record is in the store; if the disk fails now it is at worst shipped once more."""
        while True:
            try:
                await asyncio.to_thread(self._spool.shipped, seq)
            except OSError as error:
                delay = self._disk_backoff.delay()
                self._logger.warning("spool_failed", error=str(error), retry_seconds=delay)
                await asyncio.sleep(delay)
            else:
                self._disk_backoff.reset()
                return

    def _note_shipped(self, record: Record) -> None:
        self._progress.shipped_seq = record.seq
        self._progress.pending = self._spool.pending()
        self._logger.debug("record_shipped", seq=record.seq, key=record.manifest.key)

    def _failed(self, error: StoreError, delay: float) -> None:
        self._failures += 1
        self._progress.trouble = str(error)
        self._logger.warning(
            "store_failed",
            store=self._url,
            error=str(error),
            failures=self._failures,
            retry_seconds=round(delay, 3),
        )
