"""What is wrong with the store, said so that a person reads it: at once, then ever more rarely.

Counts failures and decides when to say so; a store that fails every other call floods no log.
"""

from __future__ import annotations

from shipper.clock import Clock
from shipper.errors import RefusedError, StoreError
from shipper.logs import Logger
from shipper.pipeline.progress import Progress
from shipper.spool.spool import Spool

FIRST_SECONDS = 1.0
MAX_SECONDS = 60.0


class Rarely:
    """Says when to speak: at once, then ever more rarely; at once again after a long silence."""

    def __init__(self) -> None:
        self._interval = FIRST_SECONDS
        self._silent_until = 0.0

    def due(self, now: float) -> bool:
        """Whether to speak now (seconds); silence follows if so."""
        if now < self._silent_until:
            return False
        if now > self._silent_until + MAX_SECONDS:
            self._interval = FIRST_SECONDS
        self._silent_until = now + self._interval
        self._interval = min(MAX_SECONDS, self._interval * 2)
        return True


class Trouble:
    """Between the store's answers and the log, the terminal line and `status`."""

    def __init__(
        self, url: str, *, spool: Spool, clock: Clock, logger: Logger, progress: Progress
    ) -> None:
        self._url = url
        self._spool = spool
        self._clock = clock
        self._logger = logger
        self._progress = progress
        self._failures = 0
        self._said = False
        self._of_failures = Rarely()
        self._of_refusals = Rarely()  # by itself: a person is told at once, also in an outage
        self._weak_silent_until = 0.0
        spool.tell("")

    def failed(self, error: StoreError, delay: float) -> None:
        """A call failed; it is repeated in `delay` seconds."""
        self._failures += 1
        self._progress.trouble = str(error)
        self._progress.store_state = "refused" if isinstance(error, RefusedError) else "failing"
        self._progress.store_failed(error.code or type(error).__name__)
        refused = isinstance(error, RefusedError)
        due = (self._of_refusals if refused else self._of_failures).due(self._now())
        if due or self._failures == 1:
            self._spool.tell(str(error))  # `status` knows it also where the log keeps silent
        if not due:
            return
        self._said = True
        details: dict[str, object] = {
            "store": self._url,
            "error": str(error),
            "failures": self._failures,
            "retry_seconds": round(delay, 3),
        }
        if refused:
            self._logger.error("store_refused", **details)
        else:
            self._logger.warning("store_failed", **details)

    def answered(self) -> None:
        """A call succeeded."""
        if not self._failures:
            return
        if self._said:
            self._logger.info("store_recovered", store=self._url, after_failures=self._failures)
            self._said = False
        self._spool.tell(self._progress.weak)
        self._failures = 0
        self._progress.trouble = self._progress.weak
        self._progress.store_state = "ok"

    def weak(self, what: str) -> None:
        """Something is stored, but less safely than configured: the bytes go on, with an alarm.

        Once said it stands until the daemon is started anew: what is weak stays so.
        """
        self._progress.weak = f"stored, but less safely than configured: {what}"
        if self._now() >= self._weak_silent_until:
            self._weak_silent_until = self._now() + MAX_SECONDS
            self._logger.critical("store_weak", store=self._url, error=what)
            self._spool.tell(self._progress.weak)
        self._progress.trouble = self._progress.weak

    def stopped(self, error: Exception) -> None:
        """Nothing more is shipped before a person has done something."""
        self._progress.trouble = f"shipping stopped: {error}"
        self._progress.store_state = "stopped"
        self._logger.critical("shipping_stopped", store=self._url, error=str(error))
        self._spool.tell(self._progress.trouble)

    def _now(self) -> float:
        return self._clock.now().monotonic_ns / 1e9
