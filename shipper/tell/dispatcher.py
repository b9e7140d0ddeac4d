"""All receivers' loops: starts, wakes and ends them, and keeps one from harming another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from shipper.logs import Logger
from shipper.tell.courier import Courier
from shipper.tell.tally import Tally


class Dispatcher:
    """For one event loop. Without couriers it does nothing."""

    def __init__(
        self,
        couriers: Sequence[Courier],
        tallies: Sequence[Tally],
        *,
        logger: Logger,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`tallies` are the couriers', to be shown; `close` is awaited once all have ended."""
        self._couriers = couriers
        self.tallies = tallies
        self._close = close
        self._logger = logger

    async def run(self) -> None:
        """Tell for ever; once told to `finish`, until each one knows all or does not answer."""
        try:
            async with asyncio.TaskGroup() as loops:
                for courier in self._couriers:
                    loops.create_task(self._run(courier), name=f"tell {courier.name}")
        finally:
            if self._close is not None:
                await self._close()

    def committed(self, seq: int) -> None:
        """Record `seq` is in the spool."""
        for courier in self._couriers:
            courier.committed(seq)

    async def drain(self, running: asyncio.Task[None], *, within_seconds: float) -> bool:
        """End `running`, the task of `run`: nothing more will be committed.

        True if every receiver knows all; what one does not know the next start tells it.
        """
        for courier in self._couriers:
            courier.finish()
        await asyncio.wait({running}, timeout=within_seconds)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        behind = [courier.name for courier in self._couriers if courier.is_behind]
        if behind:
            self._logger.warning("alerts_waiting", receivers=behind)
        return not behind

    async def _run(self, courier: Courier) -> None:
        try:
            await courier.run()
        except Exception as error:  # noqa: BLE001 a fault in one loop stops neither the others nor sealing
            # Its text may hold what must not be logged.
            kind = type(error).__name__
            self._logger.critical("alerts_stopped", receiver=courier.name, error=kind)
