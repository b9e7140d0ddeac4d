"""From the configured receivers to their queue and a dispatcher: this folder's composition root."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from shipper.clock import Clock
from shipper.disk import Disk
from shipper.logs import Logger
from shipper.receivers import Receiver
from shipper.tell.courier import Courier
from shipper.tell.dispatcher import Dispatcher
from shipper.tell.forms import kind
from shipper.tell.outbox import Outbox
from shipper.tell.tally import Tally
from shipper.tell.teller import Teller


def open_alerts(
    receivers: Sequence[Receiver],
    spool: Path,
    *,
    newest: int | None,
    clock: Clock,
    logger: Logger,
    disk: Disk | None = None,
) -> tuple[Outbox | None, Dispatcher]:
    """The queue below `spool`, whose newest record is `newest`, and a loop for each receiver.

    Without receivers there is no queue. Needs a running event loop; `SpoolError` as of `Outbox`.
    """
    if not receivers:
        return None, Dispatcher((), (), logger=logger)
    # aiohttp takes 0.2 s and 10 MB to import: those who alert nobody are spared it.
    from shipper.tell.http import Http

    names = [receiver.name for receiver in receivers]
    outbox = Outbox(spool, names, newest=newest, logger=logger, disk=disk)
    http = Http()
    tallies = [Tally(receiver.name, kind(receiver)) for receiver in receivers]
    couriers = []
    for receiver, tally in zip(receivers, tallies, strict=True):
        teller = Teller(
            receiver,
            http.post,
            dead_letters=outbox.dead_letters,
            trouble=partial(outbox.trouble, receiver.name),
            tally=tally,
            clock=clock,
            logger=logger,
        )
        released = -1 if newest is None else newest
        couriers.append(
            Courier(receiver, outbox, teller, released=released, tally=tally, logger=logger)
        )
    return outbox, Dispatcher(couriers, tallies, close=http.close, logger=logger)
