"""One receiver's loop: outbox -> the alerts it wants -> messages -> told, in order.

Knows no other receiver and nothing of sealing: a receiver that is away holds up nobody. How far it
has come is durable before more is taken from the outbox, so that a restart repeats little.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

from msgspec import structs

from shipper.backoff import Backoff
from shipper.logs import Logger
from shipper.model import SEVERITIES, Alerts
from shipper.receivers import Falcosidekick, Receiver
from shipper.tell import group
from shipper.tell.alert import Alert, Message
from shipper.tell.choose import listed, wants
from shipper.tell.limit import Held, Limit
from shipper.tell.outbox import Outbox
from shipper.tell.tally import Tally
from shipper.tell.teller import Teller

MOST_WAITING = 200
"""Alerts that are taken from the outbox at one time: bounds memory, and what a crash repeats."""


class _Waiting(NamedTuple):
    """An alert that is to be told, and its place in the outbox."""

    seq: int
    number: int
    alert: Alert


class Courier:
    """For one event loop. Create it before anything is put into the outbox."""

    def __init__(
        self,
        receiver: Receiver,
        outbox: Outbox,
        teller: Teller,
        *,
        released: int,
        tally: Tally,
        logger: Logger,
    ) -> None:
        """`released`: the newest record that is committed."""
        self.name = receiver.name
        self._receiver = receiver
        self._outbox = outbox
        self._teller = teller
        self._released = released
        self._tally = tally
        self._logger = logger
        self._group_by: group.GroupBy = "none"
        self._window = 0.0
        if not isinstance(receiver, Falcosidekick):
            self._group_by, self._window = receiver.group_by, receiver.group_window
        self._usual = Limit(receiver.max_per_minute)
        self._urgent = Limit(receiver.max_per_minute)
        self._first = self._durable = outbox.cursor(receiver.name)
        self._seq, self._index = self._durable.seq, self._durable.index  # what is read next
        self._held = self._durable.held
        self._held_until = 0.0
        self._waiting: list[_Waiting] = []
        self._waiting_since = 0.0
        self._disk_backoff = Backoff()
        self._finishing = False
        self._bell = asyncio.Event()

    def committed(self, seq: int) -> None:
        """Record `seq`, and all before it, are in the spool."""
        self._released = seq
        self._bell.set()

    def finish(self) -> None:
        """Nothing more will be committed: `run` returns once all is told, or a try fails."""
        self._finishing = True
        self._teller.finish()
        self._bell.set()

    @property
    def is_behind(self) -> bool:
        """Whether there is something that the receiver was not told yet."""
        return bool(self._waiting or self._outbox.next(self._seq, until=self._released) is not None)

    async def run(self) -> None:
        """Tell for ever; once told to `finish`, until it knows all, or does not answer."""
        while True:
            finishing = self._finishing  # asked first: what is committed until then is told
            await self._read_on()
            if not await self._tell_held():
                return
            if self._is_due(finishing=finishing):
                if not await self._tell_waiting():
                    return
            elif finishing:
                return
            else:
                if self._teller.again_seconds() == 0:
                    await self._teller.again()
                await self._woken(self._rest_seconds())

    # ---- from the outbox

    async def _read_on(self) -> None:
        while len(self._waiting) < MOST_WAITING:
            seq = self._outbox.next(self._seq, until=self._released)
            if seq is None:
                break
            try:
                alerts = await asyncio.to_thread(self._outbox.load, seq)
            except OSError as error:
                self._disk_failed(error)
                await self._woken(self._disk_backoff.delay())
                if self._finishing:
                    break
            else:
                self._disk_backoff.reset()
                self._take(seq, alerts)
        if not self._waiting:
            await self._advance()

    def _take(self, seq: int, alerts: Alerts | None) -> None:
        """Read on in record `seq`, to its end or as far as there is room."""
        if seq != self._seq:
            self._seq, self._index = seq, 0
        if alerts is not None:
            for finding in alerts.findings[self._index :]:
                if len(self._waiting) == MOST_WAITING:
                    return
                if wants(self._receiver, finding):
                    self._wait(Alert(alerts.evidence, finding))
                self._index += 1
            self._hold_omitted(alerts)
        self._seq, self._index = seq + 1, 0

    def _wait(self, alert: Alert) -> None:
        if not self._waiting:
            self._waiting_since = self._now()
        self._waiting.append(_Waiting(self._seq, self._index, alert))

    # ---- to the receiver

    def _is_due(self, *, finishing: bool) -> bool:
        if not self._waiting:
            return False
        return finishing or len(self._waiting) == MOST_WAITING or self._group_seconds() == 0

    async def _tell_waiting(self) -> bool:
        """Tell all that waits; False if told to finish and the receiver does not answer."""
        alerts = [one.alert for one in self._waiting]
        try:
            for message in group.messages(alerts, self._group_by):
                if not (await self._tell_held() and await self._tell(message)):
                    return False
                done = set(map(id, message.alerts))
                self._waiting = [one for one in self._waiting if id(one.alert) not in done]
        finally:
            await self._advance()  # also where the time to drain has run out
        return True

    async def _tell(self, message: Message) -> bool:
        limit = self._urgent if message.severity == "critical" else self._usual
        now = self._now()
        if not limit.allows(now):
            opens = now + limit.wait_seconds(now)
            self._hold(self._held.plus(message.alerts), len(message.alerts), until=opens)
            return True
        ending = await self._teller.tell(message)
        self._tally.told += len(message.alerts) if ending == "told" else 0
        self._tally.dead += len(message.alerts) if ending == "dead" else 0
        return ending != "stopped"

    # ---- what is held back

    def _hold(self, held: Held, count: int, *, until: float) -> None:
        if not self._held:
            self._logger.warning("alerts_held_back", receiver=self.name)
            self._held_until = until
        self._held = held
        self._tally.held_back += count

    def _hold_omitted(self, alerts: Alerts) -> None:
        wanted = {
            rule: count
            for rule, count in alerts.omitted.items()
            if listed(rule, self._receiver.rules)
        }
        if wanted:
            least = min(alerts.findings, key=lambda one: SEVERITIES.index(one.severity)).severity
            held = self._held.plus_count(alerts.evidence, wanted, least)
            self._hold(held, sum(wanted.values()), until=self._now())

    async def _tell_held(self) -> bool:
        """Tell how many were held back, once the limit that held them opens again."""
        notice = self._held.notice()
        if notice is None or self._now() < self._held_until:
            return True
        if await self._teller.tell(notice) == "stopped":
            return False
        self._held = Held()
        await self._advance()
        return True

    # ---- how far it has come

    async def _advance(self) -> None:
        """Make durable what is done with: all before the first that still waits."""
        seq, index = self._seq, self._index
        if self._waiting:
            seq, index, _ = self._waiting[0]
        cursor = structs.replace(
            self._first,
            seq=seq,
            index=index,
            held=self._held,
            told=self._first.told + self._tally.told,
            dead=self._first.dead + self._tally.dead,
            held_back=self._first.held_back + self._tally.held_back,
        )
        if cursor == self._durable:
            return
        self._durable = cursor
        try:
            await asyncio.to_thread(self._outbox.advance, self.name, cursor)
        except OSError as error:
            self._disk_failed(error)

    def _disk_failed(self, error: OSError) -> None:
        self._logger.error("alerts_disk_failed", receiver=self.name, error=str(error))

    # ---- when to wake

    def _group_seconds(self) -> float:
        alerts = [one.alert for one in self._waiting]
        waited = self._now() - self._waiting_since
        return group.rest_seconds(alerts, waited=waited, window=self._window)

    def _rest_seconds(self) -> float | None:
        """How long nothing need be done; None: until something is committed."""
        rests = [self._group_seconds()] if self._waiting else []
        if self._held:
            rests.append(max(0.0, self._held_until - self._now()))
        again = self._teller.again_seconds()
        if again is not None:
            rests.append(again)
        return min(rests, default=None)

    async def _woken(self, within_seconds: float | None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self._bell.wait()
        if not self._finishing:
            self._bell.clear()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
