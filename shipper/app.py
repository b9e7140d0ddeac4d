"""The daemon: composition root, the two loops, signals. Start, run, drain.

A failure that only a person can mend ends in a `ShipperError`; everything else is retried.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import UNSET

from shipper import __version__
from shipper import config as configuration
from shipper.audit.follow import Follower
from shipper.audit.scrape import scrape
from shipper.audit.siblings import list_siblings
from shipper.audit.wake import Wake
from shipper.backoff import Backoff
from shipper.clock import Clock, SystemClock
from shipper.config import Config
from shipper.disk import Disk
from shipper.errors import (
    ConflictError,
    RefusedError,
    ShipperError,
    SourceError,
    StoreError,
)
from shipper.health.observe import Observer
from shipper.health.open import serve
from shipper.logs import Logger
from shipper.model import Agent
from shipper.notify import Notifier
from shipper.pipeline.collect import Collector
from shipper.pipeline.fence import Fence
from shipper.pipeline.guard import Guard, InForce, load_engine
from shipper.pipeline.policies import Policies
from shipper.pipeline.progress import Progress
from shipper.pipeline.reconcile import Reconciler
from shipper.pipeline.recorder import Recorder
from shipper.pipeline.reload import Reloader
from shipper.pipeline.ship import Shipper
from shipper.pipeline.start import OldHead, Start, find_old_head, new_instance, resume
from shipper.seal.signer import FileSigner
from shipper.spool.spool import Spool
from shipper.store.attempts import Attempts
from shipper.store.base import Store
from shipper.store.open import open_store
from shipper.store.patient import PatientStore
from shipper.tell.dispatcher import Dispatcher
from shipper.tell.open import open_alerts
from shipper.tell.outbox import Outbox

POLL_SECONDS = 1.0
"""The slow poll, for file systems where inotify is silent (NFS, some overlays)."""

COALESCE_SECONDS = 0.1
"""While data flows, how long to let it gather (less where `max_age` is short): 10 wake-ups a second
instead of thousands."""

IDLE_SECONDS = 1.0
"""After this long without data the watch is armed and the timer rests."""

SETTLE_SECONDS = 0.25
"""How long `--once` waits for a half-written last line: ten times what was ever measured."""

PATIENCE_SECONDS = 10.0
"""How long a start waits for the store's answers: a new instance asks for the node's old log, and
begins without it after that time; what else is asked is asked once."""

READY_POLL_SECONDS = 0.05

T = TypeVar("T")


_ROOM_POLL_SECONDS = 0.05


class UnansweredError(Exception):
    """The store did not answer in time."""


class App:
    """One daemon over one audit log."""

    def __init__(
        self,
        config: Config,
        *,
        once: bool,
        logger: Logger,
        progress: Progress,
        store: Store | None = None,
        clock: Clock | None = None,
        disk: Disk | None = None,
        reread: Callable[[], Config] | None = None,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        """Check what can be checked before anything is read: key, store URL, spool."""
        self._config = config
        self._once = once
        self._logger = logger
        self._progress = progress
        self._clock = clock or SystemClock()
        self._signer = FileSigner.load(Path(config.seal.key_file))
        self._guard = Guard(InForce(load_engine(config.rules), configuration.digest(config)))
        self._store = store or open_store(config.store, disk=disk)
        self._spool = Spool(Path(config.spool.path), disk=disk)
        self._disk = disk
        self._settle_seconds = settle_seconds
        self._reloader = Reloader(
            config,
            self._guard,
            reread=reread or (lambda: config),
            logger=logger,
            progress=progress,
        )
        self._notifier = Notifier(logger)
        self._observer = Observer(config, progress, self._spool, clock=self._clock)
        self._attempts = Attempts()
        self._patience_seconds = max(1.0, min(PATIENCE_SECONDS, config.shutdown.drain))
        self._stopping = asyncio.Event()
        self._collector: Collector | None = None
        self._give_up: Callable[[], None] = lambda: None

    async def run(self) -> int:
        """The daemon's life; returns the exit code. `ShipperError` if it cannot go on."""
        self._watch_signals()
        listen = "" if self._once else self._config.health.listen
        health = asyncio.create_task(
            serve(listen, self._observer, logger=self._logger), name="health"
        )
        try:
            self._refuse_empty_once()
            start = await self._start()
            if self._stopping.is_set():
                return 0  # nothing was read, and a new log is not begun only to end it
            outbox, dispatcher = self._open_alerts()
            self._collector, shipper = self._compose(start, outbox, dispatcher)
            return await self._loops(self._collector, shipper, dispatcher)
        finally:
            health.cancel()
            await asyncio.wait({health})
            self._spool.close()

    def stop(self) -> None:
        """Stop reading, seal a shutdown, ship for the drain time, end."""
        self._stopping.set()
        self._progress.stopping = True
        self._notifier.stopping()
        if self._collector is not None:
            self._collector.stop.set()
            drain = self._config.shutdown.drain
            asyncio.get_running_loop().call_later(drain, self._give_up)

    # ---- start

    async def _start(self) -> Start:
        key = self._signer.key
        start = resume(self._spool, self._config, key)
        await self._preflight()
        if start is not None:
            await self._refuse_second_writer(start.head.log)
        else:
            old = await self._old_head()
            start = new_instance(self._config, secrets.token_hex(8), old)
        self._progress.sealed_seq = start.head.seq - 1
        self._progress.shipped_seq = start.head.seq - 1 - self._spool.pending()
        self._progress.head = start.head.prev if start.head.seq else ""
        self._progress.pending = self._spool.pending()
        self._progress.log = start.head.log
        self._progress.sealed_at = start.newest.time.wall if start.newest else None
        self._progress.under(self._guard.in_force)
        self._logger.info(
            "started",
            version=__version__,
            log=start.head.log,
            next_seq=start.head.seq,
            pending=self._spool.pending(),
            source=self._config.source.path,
            store=self._store.url,
            key=key.base64,
            rules=self._guard.in_force.rules_sha256,
        )
        return start

    def _refuse_empty_once(self) -> None:
        """The daemon waits for a log that is not there yet; `--once` has nothing to do."""
        path = Path(self._config.source.path)
        if self._once and not os.path.lexists(path) and not list_siblings(path):
            raise SourceError(
                f"there is no audit log at {path}",
                remedy="check source.path against the API server's --audit-log-path",
            )

    async def _preflight(self) -> None:
        """Refuse a store that is not what the configuration asks for.

        One that does not answer, or not to these credentials, is no reason to read nothing.
        """
        try:
            checks = await self._asked(lambda: list(self._store.preflight()), "preflight_failed")
        except UnansweredError:
            return
        for check in checks:
            if check.state == "refused":
                raise RefusedError(check.says, remedy=check.remedy)
            if check.state == "unknown":
                self._logger.warning("preflight_unknown", error=check.says, remedy=check.remedy)
            elif check.state != "ok":
                self._logger.error("preflight_wrong", error=check.says, remedy=check.remedy)

    async def _refuse_second_writer(self, log: str) -> None:
        """Before anything is sealed; the ship loop looks again before it vouches for the log."""
        fence = Fence(self._store, log, self._signer.key, self._spool)
        with suppress(UnansweredError):
            await self._asked(fence.check, "fence_unknown")

    async def _old_head(self) -> OldHead | None:
        def find() -> OldHead | None:
            # Some ten calls, of which each may fail and be asked again by itself.
            return find_old_head(PatientStore(self._store), self._config, self._signer.key)

        backoff = Backoff()
        deadline = asyncio.get_running_loop().time() + self._patience_seconds
        while True:
            with suppress(UnansweredError):
                return await self._asked(find, "old_head_unknown")
            if self._stopping.is_set():
                return None
            delay = backoff.delay()
            if asyncio.get_running_loop().time() + delay > deadline:
                break
            await self._pause(delay)
        self._logger.error(
            "old_head_not_found",
            detail="the store did not answer; if this node has an older log there,"
            " nothing will prove that this one follows it",
        )
        return None

    async def _asked(self, question: Callable[[], T], event: str) -> T:
        """The store's answer; `UnansweredError` if there is none, and a line in the log, or if the
        daemon is told to stop meanwhile."""
        asking = asyncio.create_task(
            self._attempts.run(question, within_seconds=self._patience_seconds), name=event
        )
        stop = asyncio.create_task(self._stopping.wait(), name="stop")
        _, pending = await asyncio.wait({asking, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if asking in pending:
            raise UnansweredError
        try:
            return asking.result()
        except ConflictError:
            raise
        except StoreError as error:
            self._logger.warning(event, store=self._store.url, error=str(error))
            raise UnansweredError from error

    def _open_alerts(self) -> tuple[Outbox | None, Dispatcher]:
        outbox, dispatcher = open_alerts(
            self._config.alerts,
            Path(self._config.spool.path),
            newest=self._spool.newest(),
            clock=self._clock,
            logger=self._logger,
            disk=self._disk,
        )
        self._observer.tell(outbox, dispatcher.tallies)
        return outbox, dispatcher

    def _compose(
        self, start: Start, outbox: Outbox | None, dispatcher: Dispatcher
    ) -> tuple[Collector, Shipper]:
        config, loop = self._config, asyncio.get_running_loop()
        shipper = Shipper(
            self._spool,
            self._store,
            log=start.head.log,
            key=self._signer.key,
            checkpoint_every=config.store.checkpoint_every,
            clock=self._clock,
            logger=self._logger,
            progress=self._progress,
        )
        policies = Policies(
            Path(config.spool.path), self._guard, logger=self._logger, disk=self._disk
        )
        policies.resume(start.newest)
        agent = Agent(
            version=__version__,
            config_sha256=self._guard.in_force.config_sha256,
            rules_sha256=self._guard.in_force.rules_sha256 or UNSET,
            policies_sha256=policies.sha256 or UNSET,
        )

        def committed(seq: int) -> None:
            loop.call_soon_threadsafe(shipper.committed.set)
            loop.call_soon_threadsafe(dispatcher.committed, seq)

        recorder = Recorder(
            self._spool,
            start,
            agent=agent,
            signer=self._signer,
            lock_required=config.store.require_lock,
            clock=self._clock,
            logger=self._logger,
            progress=self._progress,
            committed=committed,
            disk_patience=config.shutdown.drain if self._once else math.inf,
            outbox=outbox,
            policies=policies,
        )
        collector = Collector(
            Follower(Path(config.source.path), start_at=config.source.start_at),
            recorder,
            self._spool,
            start,
            config=config,
            guard=self._guard,
            clock=self._clock,
            logger=self._logger,
            progress=self._progress,
        )
        self._give_up = recorder.give_up.set
        return collector, shipper

    # ---- run and drain

    async def _loops(self, collector: Collector, shipper: Shipper, dispatcher: Dispatcher) -> int:
        shipping = asyncio.create_task(shipper.run(), name="ship")
        # It ends by itself only by a fault of ours: better to end, and be started anew, than to
        # seal on and ship nothing.
        shipping.add_done_callback(lambda _: self.stop())
        reloading = asyncio.create_task(self._reloader.run(), name="reload")
        telling = asyncio.create_task(dispatcher.run(), name="tell")
        counting = asyncio.create_task(self._count(collector), name="count")
        whole = True
        try:
            if self._once:
                whole = await self._collect_once(collector)
            else:
                await self._collect(collector)
        finally:
            reloading.cancel()
            counting.cancel()
            collector.close()
            shipper.finish()
            drained = await asyncio.gather(
                self._drain(shipping),
                dispatcher.drain(telling, within_seconds=self._config.shutdown.drain),
            )
        done = whole and all(drained) and not self._progress.weak
        return 3 if self._once and not done else 0

    async def _count(self, collector: Collector) -> None:
        """Compare what was read with what the API server says it wrote, if it is to be asked."""
        options = self._config.source.apiserver_metrics
        if options.url and not self._once:
            await Reconciler(
                partial(scrape, options),
                every_seconds=options.every,
                tell=collector.tell,
                progress=self._progress,
                logger=self._logger,
            ).run()

    async def _collect(self, collector: Collector) -> None:
        """Follow the log until told to stop.

        What cannot be read at the start ends it, with what to do; what cannot be read later is
        tried again, since a person may be at work on it.
        """
        reporting = asyncio.create_task(
            self._notifier.report(turns=lambda: self._progress.turns, status=self._progress.line),
            name="notify",
        )
        try:
            await asyncio.to_thread(collector.begin)
            await self._first_step(collector)
            await self._follow(collector)
        finally:
            reporting.cancel()
        await asyncio.to_thread(collector.end)

    async def _first_step(self, collector: Collector) -> None:
        """Ready as soon as something was read, or nothing is there: a backlog may take hours."""
        step = asyncio.create_task(asyncio.to_thread(collector.step), name="first step")
        while not step.done() and not self._progress.bytes_read:
            await asyncio.wait({step}, timeout=READY_POLL_SECONDS)
        if not step.done() or step.exception() is None:
            self._progress.ready = True
            self._notifier.ready(self._progress.line())
        await step

    async def _follow(self, collector: Collector) -> None:
        wake = Wake(Path(self._config.source.path), poll_seconds=POLL_SECONDS)
        coalesce = min(COALESCE_SECONDS, self._config.batch.max_age / 8)
        unreadable = Backoff()
        idle_seconds = 0.0
        try:
            while not self._stopping.is_set():
                try:
                    read = await asyncio.to_thread(collector.step)
                except SourceError as error:
                    self._progress.source_trouble = str(error)
                    delay = unreadable.delay()
                    self._logger.warning("source_unreadable", error=str(error), retry_seconds=delay)
                    await self._pause(delay)
                    continue
                unreadable.reset()
                self._progress.source_trouble = ""
                idle_seconds = 0.0 if read else idle_seconds + coalesce
                if idle_seconds < IDLE_SECONDS:
                    wake.disarm()
                    await self._pause(min(coalesce, collector.wait_seconds()))
                    continue
                if not wake.watching:
                    wake.arm()
                    if wake.watching:
                        continue  # what was written before the watch rings no bell: read again
                await self._bell(wake, collector.wait_seconds())
        finally:
            wake.close()

    async def _collect_once(self, collector: Collector) -> bool:
        """Read what is there, wait for room in the spool where it must, and end.

        False if it was told to stop before all was read.
        """
        await asyncio.to_thread(collector.begin)
        settled = whole = False
        while not (whole or self._stopping.is_set()):
            if await asyncio.to_thread(collector.step):
                settled = False
            elif collector.held_up:
                await self._room(collector)
            elif not settled:
                await self._pause(self._settle_seconds)
                settled = True
            else:
                await asyncio.to_thread(collector.flush)
                whole = True
        await asyncio.to_thread(collector.end)
        return whole

    async def _room(self, collector: Collector) -> None:
        """Wait until the spool has room; end the run if the store takes nothing for too long."""
        seen = self._progress.shipped_seq
        deadline = asyncio.get_running_loop().time() + self._config.shutdown.drain
        while not self._stopping.is_set():
            await self._pause(_ROOM_POLL_SECONDS)
            if self._progress.shipped_seq != seen or collector.may_read():
                return
            if asyncio.get_running_loop().time() > deadline:
                self.stop()

    async def _drain(self, shipping: asyncio.Task[None]) -> bool:
        """Give the ship loop its time: in all, or with `--once` since it last got on."""
        seen: int | None = None
        while seen != self._progress.shipped_seq:
            seen = self._progress.shipped_seq if self._once else None
            done, _ = await asyncio.wait({shipping}, timeout=self._config.shutdown.drain)
            if done:
                shipping.result()
                self._logger.info("ended", sealed_seq=self._progress.sealed_seq)
                return True
            if not self._once:
                break
        shipping.cancel()
        with suppress(asyncio.CancelledError):
            await shipping
        self._logger.warning(
            "drain_incomplete", pending=self._spool.pending(), trouble=self._progress.trouble
        )
        return False

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not past a stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _bell(self, wake: Wake, seconds: float) -> None:
        """Sleep until the log's directory changes, but not past a stop or new rules."""
        proposed = self._reloader.proposed
        waits = {
            asyncio.create_task(wake.wait(seconds), name="wake"),
            asyncio.create_task(self._stopping.wait(), name="stop"),
            asyncio.create_task(proposed.wait(), name="rules"),
        }
        _, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        proposed.clear()
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        loop.add_signal_handler(signal.SIGHUP, self._reloader.ask)

    def _signalled(self) -> None:
        if self._stopping.is_set():
            # Every durable step can be cut short: what is sealed is in the spool.
            self._logger.warning("ended_at_once", pending=self._spool.pending())
            os._exit(ShipperError.exit_code)
        self._logger.info("stopping", drain_seconds=self._config.shutdown.drain)
        self.stop()
