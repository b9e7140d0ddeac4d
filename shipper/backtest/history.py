"""Goes through verified history and reads each batch out.

What does not verify is reported and not read out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from shipper.backtest.chronicle import Listener
from shipper.backtest.tally import Place
from shipper.seal.keys import VerifierKey
from shipper.store.base import Store
from shipper.verify.discover import logs
from shipper.verify.identity import lies_at
from shipper.verify.ledger import Ledger
from shipper.verify.log import verify_log
from shipper.verify.payload import Verified
from shipper.verify.request import Progress, Request


def paths_of(store: Store, request: Request) -> list[str]:
    """Where the logs lie that the request asks for."""
    return [path for path in logs(store) if request.origin is None or lies_at(request.origin, path)]


def go_through(
    store: Store,
    keys: Sequence[VerifierKey],
    request: Request,
    listener: Listener,
    *,
    progress: Progress,
) -> list[Ledger]:
    """Read out every batch in the request's window; the ledger of each log that was read."""
    ledgers = []
    for path in paths_of(store, request):
        outcome = verify_log(
            store, path, keys, request, sink=partial(_hand_over, listener, path), progress=progress
        )
        ledgers.append(outcome.ledger)
    if not ledgers:
        nothing = Ledger(store.url)
        nothing.add("nothing-found", request.origin or store.url)
        ledgers.append(nothing)
    return ledgers


def _hand_over(listener: Listener, path: str, verified: Verified) -> None:
    if verified.events is not None:
        listener.judge(Place(path.rstrip("/"), verified.seq), verified.events, verified.data)
