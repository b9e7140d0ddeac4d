"""Tells one receiver one message: again and again until it says yes, or until it is given up.

Decides whose move it is after each try; knows nothing of the queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Literal

from shipper.backoff import Backoff, refused_backoff
from shipper.clock import Clock
from shipper.logs import Logger
from shipper.receivers import Alertmanager, Receiver
from shipper.tell import forms
from shipper.tell.alert import Message
from shipper.tell.answer import Outcome
from shipper.tell.attempt import Post, attempt
from shipper.tell.dead import DeadLetters, letter
from shipper.tell.receivers.alertmanager import Active
from shipper.tell.tally import Tally

FEWEST_TRIES = 5
"""Before a message is given up. A receiver that says "not this message, ever" is asked so often
within some two minutes: after a change of keys some say that of every message."""

Ending = Literal["told", "dead", "stopped"]


class Teller:
    """For one receiver and one event loop."""

    def __init__(
        self,
        receiver: Receiver,
        post: Post,
        *,
        dead_letters: DeadLetters,
        trouble: Callable[[str], None],
        tally: Tally,
        clock: Clock,
        logger: Logger,
        backoff: Callable[[], Backoff] = Backoff,
        refused: Callable[[], Backoff] = refused_backoff,
    ) -> None:
        """`trouble` is told what is wrong with the receiver, and nothing once it is not."""
        self._receiver = receiver
        self._post = post
        self._dead_letters = dead_letters
        self._say_trouble = trouble
        self._tally = tally
        self._clock = clock
        self._logger = logger
        self._backoff = backoff
        self._refused = refused
        self._active = Active(receiver) if isinstance(receiver, Alertmanager) else None
        self._again_at = 0.0
        self._finishing = asyncio.Event()

    async def tell(self, message: Message) -> Ending:
        """`told` or `dead`; `stopped` if told to finish and the receiver does not take it."""
        backoff, refused, tries, nevers = self._backoff(), self._refused(), 0, 0
        while True:
            now = self._clock.now().wall
            compose = partial(forms.render, message, self._receiver, now)
            outcome = await attempt(self._post, self._receiver, compose)
            if outcome.verdict == "taken":
                self._taken(message, now)
                return "told"
            tries += 1
            nevers += outcome.verdict == "never"
            if nevers == FEWEST_TRIES or (tries >= FEWEST_TRIES and self._is_old(message, now)):
                await self._give_up(message, outcome, now)
                return "dead"
            delay = (backoff if outcome.verdict == "later" else refused).delay()
            delay = max(delay, outcome.wait_seconds)
            self._failed(outcome, retry_seconds=delay)
            if self._finishing.is_set():
                return "stopped"
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self._finishing.wait()

    def finish(self) -> None:
        """From now on a try that fails is the last."""
        self._finishing.set()

    # ---- what a receiver wants to hear again

    def again_seconds(self) -> float | None:
        """After how long `again` is due; None if there is nothing to say again."""
        if not self._active:
            return None
        return max(0.0, self._again_at - asyncio.get_running_loop().time())

    async def again(self) -> None:
        """Say once more what is still active; a failure waits for the next time."""
        active = self._active
        if active is None or not active.prune(self._clock.now().wall):
            return
        self._again_at = asyncio.get_running_loop().time() + active.every_seconds
        outcome = await attempt(self._post, self._receiver, active.again)
        if outcome.verdict == "taken":
            self._well()
        else:
            self._failed(outcome, retry_seconds=active.every_seconds)

    # ---- what it came to

    def _taken(self, message: Message, now: datetime) -> None:
        if self._active is not None:
            if not self._active:
                self._again_at = asyncio.get_running_loop().time() + self._active.every_seconds
            self._active.told(message, now)
        self._well()

    def _well(self) -> None:
        if self._tally.trouble:
            self._logger.info("alert_recovered", receiver=self._receiver.name)
            self._tally.trouble = ""
            self._say_trouble("")

    def _failed(self, outcome: Outcome, *, retry_seconds: float) -> None:
        self._tally.failed += 1
        details = {
            "receiver": self._receiver.name,
            "error": outcome.says,
            "retry_seconds": round(retry_seconds, 3),
        }
        if outcome.verdict == "later":
            self._logger.warning("alert_failed", **details)
        else:
            self._logger.error("alert_refused", **details)
        if outcome.says != self._tally.trouble:
            self._tally.trouble = outcome.says
            self._say_trouble(outcome.says)

    def _is_old(self, message: Message, now: datetime) -> bool:
        age = now - message.alerts[-1].evidence.sealed_at
        return age.total_seconds() > self._receiver.give_up_after

    async def _give_up(self, message: Message, outcome: Outcome, now: datetime) -> None:
        name = self._receiver.name
        self._logger.error(
            "alert_dead",
            receiver=name,
            id=message.id,
            alerts=len(message.alerts),
            error=outcome.says,
        )
        letters = [
            letter(alert, receiver=name, gave_up=now, reason=outcome.says)
            for alert in message.alerts
        ]
        try:
            await asyncio.to_thread(self._dead_letters.add, letters)
        except OSError as error:
            self._logger.error("alerts_disk_failed", receiver=name, error=str(error))  # noqa: TRY400 the disk's answer is the message
