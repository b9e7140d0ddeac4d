"""Rounds of a watch, one or one after the other: verify, remember, show, call. Decides nothing.

What only a person can mend (a damaged head file, a key) ends it with an error: a watch that cannot
watch must not look alive.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from shipper.clock import Clock
from shipper.disk import Disk
from shipper.errors import ShipperError
from shipper.health.families import Exporter
from shipper.logs import Logger
from shipper.receivers import Receiver
from shipper.tell.dispatcher import Dispatcher
from shipper.tell.open import open_alerts
from shipper.tell.outbox import Outbox
from shipper.verify import heads
from shipper.watch import memory
from shipper.watch.alarms import as_alert
from shipper.watch.memory import Due
from shipper.watch.metrics import families
from shipper.watch.round import Round, Watched, look

DRAIN_SECONDS = 20.0
"""How long receivers that do not answer are waited for at the end; the next start tells them."""


class Watch:
    """For one event loop."""

    def __init__(
        self,
        watched: Watched,
        receivers: tuple[Receiver, ...] = (),
        *,
        textfile: Path | None = None,
        clock: Clock,
        logger: Logger,
        disk: Disk | None = None,
    ) -> None:
        self._watched = watched
        self._receivers = receivers
        self._textfile = textfile
        self._clock = clock
        self._logger = logger
        self._disk = disk or Disk()
        self._exporter = Exporter(process=False)
        self._stopping = asyncio.Event()
        self.last: tuple[Round, float] | None = None
        """The newest round, and when it was done (monotonic seconds)."""

    def stop(self) -> None:
        """End once the round is done."""
        self._stopping.set()

    async def run(self, every_seconds: float | None) -> int:
        """Rounds until `stop`, each so long after the last has begun; or one alone (None).

        The exit code: that of the one round, or 3 if it is 0 and a receiver was not told; 0 if told
        to stop.
        """
        self._disk.make_directory(self._watched.head.parent, mode=0o700)
        with _alone(self._watched.head):
            return await self._run(every_seconds)

    async def _run(self, every_seconds: float | None) -> int:
        outbox, dispatcher = self._open_alerts()
        telling = asyncio.create_task(dispatcher.run(), name="tell")
        try:
            await self._rounds(outbox, dispatcher, every_seconds)
        finally:
            told = await dispatcher.drain(telling, within_seconds=DRAIN_SECONDS)
        if every_seconds is not None or self.last is None:
            return 0
        return self.last[0].report.exit_code or (0 if told else ShipperError.exit_code)

    def _open_alerts(self) -> tuple[Outbox | None, Dispatcher]:
        return open_alerts(
            self._receivers,
            self._watched.head.parent,
            newest=memory.load(self._watched.memory).number,
            clock=self._clock,
            logger=self._logger,
            disk=self._disk,
        )

    async def _rounds(
        self, outbox: Outbox | None, dispatcher: Dispatcher, every_seconds: float | None
    ) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            done = await asyncio.to_thread(self._round, outbox)
            self.last = done, time.monotonic()
            dispatcher.committed(done.due.memory.number)
            if every_seconds is None:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, began + every_seconds - loop.time())):
                    await self._stopping.wait()

    def _round(self, outbox: Outbox | None) -> Round:
        now = self._clock.now().wall
        done = look(self._watched, now)
        self._say(done)
        if outbox is not None:
            self._call(outbox, done.due, now)
        memory.save(self._watched.memory, done.due.memory, self._disk)
        heads.save(self._watched.head, done.seen, self._disk)
        self._write(done)
        return done

    def _call(self, outbox: Outbox, due: Due, now: datetime) -> None:
        first = due.memory.number - len(due.alarms) + 1
        for number, alarm in enumerate(due.alarms, first):
            alerts = as_alert(alarm, number=number, now=now)
            try:
                outbox.put(alerts, number=number)
            except OSError as error:  # it is in memory, and told all the same
                self._logger.error("alerts_not_durable", seq=number, error=str(error))  # noqa: TRY400 the disk's answer is the message

    def _say(self, done: Round) -> None:
        for alarm in done.due.alarms:
            self._logger.error("watch_alarm", log=alarm.log, rule=alarm.kind.rule, says=alarm.says)
        for one in done.due.over:
            self._logger.info(
                "watch_alarm_over", log=one.log, rule=one.rule, since=one.since.isoformat()
            )
        report = done.report
        self._logger.info(
            "watch_round",
            store=report.store,
            exit_code=report.exit_code,
            logs=len(report.logs),
            new_manifests=sum(log.manifests for log in report.logs),
            seconds=round(done.seconds, 3),
        )

    def _write(self, done: Round) -> None:
        """For node_exporter's textfile collector: whole or not at all, and to be read by it."""
        if self._textfile is None:
            return
        body, _ = self._exporter.render(families(done))
        try:
            self._disk.replace(self._textfile, body, mode=0o644)
        except OSError as error:
            self._logger.error("watch_textfile_failed", path=str(self._textfile), error=str(error))  # noqa: TRY400 the disk's answer is the message


@contextmanager
def _alone(head: Path) -> Iterator[None]:
    """One watch keeps one head file."""
    path = head.with_name(f"{head.name}.lock")
    fd = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise ShipperError(
            f"another watch keeps {head}", remedy="let it end, or give this one a file of its own"
        ) from error
    try:
        yield
    finally:
        os.close(fd)
