"""The ship loop: spool -> store, oldest first, for ever.

Data goes ahead, several records at a time; then, one record after the other, its manifest, what it
completes of the tree, and a checkpoint when one is due. So a manifest in the store proves that its
data is there, and all manifests before it. Shares nothing with the collect loop but the spool.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from shipper.backoff import Backoff
from shipper.clock import Clock
from shipper.errors import ConflictError, FormatError, SpoolError
from shipper.logs import Logger
from shipper.model import Record, StoredObject
from shipper.pipeline.ahead import AHEAD_RECORDS, Ahead, give_up
from shipper.pipeline.fence import Fence
from shipper.pipeline.progress import Progress
from shipper.pipeline.trouble import Trouble
from shipper.seal import layout, note
from shipper.seal.keys import VerifierKey
from shipper.seal.manifest import decode_manifest
from shipper.spool.spool import Spool
from shipper.store.base import Store, Stored
from shipper.store.retrying import RetryingStore

_REMINDER_SECONDS = 60.0

UNMARKED_RECORDS = 16
"""Records that may be in the store but not yet marked so in the spool; a crash ships them again."""

MARK_SECONDS = 0.02
"""While there is more to ship the spool is told this often: one fsync serves several records."""

FENCE_SHARE = 0.01
"""Looking for a second writer takes at most this share of the time: directories list slowly."""


class Shipper:
    """Takes records from the spool and puts their objects into the store."""

    def __init__(
        self,
        spool: Spool,
        store: Store,
        *,
        log: str,
        key: VerifierKey,
        checkpoint_every: float,
        clock: Clock,
        logger: Logger,
        progress: Progress,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._spool = spool
        self._trouble = Trouble(
            store.url, spool=spool, clock=clock, logger=logger, progress=progress
        )
        self._store = RetryingStore(
            store, failed=self._trouble.failed, answered=self._trouble.answered, backoff=backoff
        )
        self._prefix = layout.log_prefix(log)
        self._fence = Fence(store, log, key, spool)
        self._fence_rests_until_ns = 0
        self._ahead = Ahead(lambda seq: asyncio.to_thread(spool.load, seq), self._put)
        self._checkpoint_every_ns = round(checkpoint_every * 1e9)
        self._clock = clock
        self._logger = logger
        self._progress = progress
        self._checkpoint: StoredObject | None = None
        self._checkpoint_shipped_ns: int | None = None
        self._disk_backoff = Backoff()
        self._finishing = False
        oldest, newest = spool.oldest_pending(), spool.newest()
        stored = newest if oldest is None else oldest - 1
        self._stored = self._marked = -1 if stored is None else stored
        # What a daemon that died may have put already.
        self._again_until = self._stored + AHEAD_RECORDS + UNMARKED_RECORDS
        self._marking: asyncio.Task[None] | None = None
        self._mark_next = 0.0
        self.committed = asyncio.Event()

    async def run(self) -> None:
        """Ship for ever; once told to `finish`, until all is shipped.

        After a conflict or on a damaged record nothing more is shipped; it is said again and
        again, since sealing goes on and only a person can mend it. Told to finish then, it
        raises the `ConflictError` or `SpoolError`.
        """
        try:
            while True:
                last_round = self._finishing  # asked first: what is committed until then is shipped
                await self._ship_all()
                if last_round:
                    await self._ship_checkpoint()
                    return
                await self._wait()
        except (ConflictError, SpoolError) as error:
            while not self._finishing:
                self._trouble.stopped(error)
                await self._woken(_REMINDER_SECONDS)
            raise
        finally:
            self._ahead.close()
            if self._marking is not None:
                give_up(self._marking)

    def finish(self) -> None:
        """Nothing more will be committed: `run` returns once the store has everything."""
        self._finishing = True
        self.committed.set()

    async def _ship_all(self) -> None:
        while True:
            if self._fence_rests_until_ns == 0 and self._spool.oldest_pending() is not None:
                await self._check_fence()  # before anything is put: a second writer leaves nothing
            self._fill()
            if not len(self._ahead):
                await self._all_marked()
                return
            record = await self._ahead.oldest()
            shipped = await self._put(record.manifest, record.seq)
            self._fence.shipped(record.seq, record.manifest.key)
            for stored in record.after:
                await self._put(stored, record.seq)
            self._checkpoint = record.checkpoint
            if record.after or self._checkpoint_due():
                # One at every full entry bundle, for readers of tiles.
                await self._ship_checkpoint()
            await self._mark(record, shipped)

    def _fill(self) -> None:
        """Begin as many records as there is room for."""
        while self._ahead.has_room:
            newest = max(self._ahead.newest, self._stored)
            seq = self._spool.oldest_pending(after=newest)
            if seq is None:
                return
            self._ahead.begin(seq, self._spool.record_bytes(seq))

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

    async def _put(self, stored: StoredObject, seq: int) -> Stored:
        answer = await self._store.put(
            self._prefix + stored.key, stored, again=seq <= self._again_until
        )
        self._progress.uploaded_bytes += len(stored.body)
        if answer.weak:
            self._trouble.weak(answer.weak)
        return answer

    # ---- checkpoints, and who else writes

    async def _ship_checkpoint(self) -> None:
        """No checkpoint vouches for a log that two daemons write."""
        if self._checkpoint is not None:
            await self._check_fence()
            await self._put(self._checkpoint, self._stored)
            self._checkpoint = None
            self._checkpoint_shipped_ns = self._clock.now().monotonic_ns

    def _checkpoint_due(self) -> bool:
        if self._checkpoint_shipped_ns is None:
            return True
        waited = self._clock.now().monotonic_ns - self._checkpoint_shipped_ns
        return waited >= self._checkpoint_every_ns

    async def _check_fence(self) -> None:
        began = self._clock.now().monotonic_ns
        if began < self._fence_rests_until_ns:
            return
        await self._store.ask(self._fence.check)
        ended = self._clock.now().monotonic_ns
        self._fence_rests_until_ns = ended + round((ended - began) / FENCE_SHARE) + 1

    # ---- what the spool may forget

    async def _mark(self, record: Record, shipped: Stored) -> None:
        """The record is in the store; the spool is told while the next one is on its way."""
        self._stored = record.seq
        with suppress(FormatError):  # whoever verifies it will say so; counting stops nothing
            manifest = decode_manifest(note.parse(record.manifest.body).text)
            self._progress.shipped(manifest, self._clock.now().wall)
        self._logger.debug(
            "record_shipped", seq=record.seq, key=record.manifest.key, version=shipped.version
        )
        if self._marking is not None and self._marking.done():
            self._marking.result()
            self._marking = None
        unmarked = self._stored - self._marked
        if unmarked >= UNMARKED_RECORDS:
            await self._all_marked()
        elif self._marking is None and asyncio.get_running_loop().time() >= self._mark_next:
            self._begin_marking()

    async def _all_marked(self) -> None:
        while self._marked < self._stored:
            await (self._marking or self._begin_marking())
            self._marking = None

    def _begin_marking(self) -> asyncio.Task[None]:
        self._mark_next = asyncio.get_running_loop().time() + MARK_SECONDS
        self._marking = asyncio.create_task(self._mark_stored(self._stored), name="mark")
        return self._marking

    async def _mark_stored(self, until: int) -> None:
        """If the disk fails now, records are at worst shipped once more."""
        while self._marked < until:
            try:
                await asyncio.to_thread(self._spool.shipped, until)
            except OSError as error:
                delay = self._disk_backoff.delay()
                self._logger.warning("spool_failed", error=str(error), retry_seconds=delay)
                await asyncio.sleep(delay)
            else:
                self._disk_backoff.reset()
                self._marked = until
                self._progress.shipped_seq = until
                self._progress.pending = self._spool.pending()
