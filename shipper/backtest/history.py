"""Goes through verified history and hands each batch to the judge.

What does not verify is reported and not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from shipper.backtest.judge import Judge
from shipper.backtest.tally import Place
from shipper.seal.keys import VerifierKey
from shipper.store.base import Store
from shipper.verify.discover import logs
from shipper.verify.identity import lies_at
from shipper.verify.ledger import Ledger
from shipper.verify.log import verify_log
from shipper.verify.payload import Verified
from shipper.verify.request import Progress, Request


def go_through(
    store: Store,
    keys: Sequence[VerifierKey],
    request: Request,
    judge: Judge,
    *,
    progress: Progress,
) -> list[Ledger]:
    """Have every batch in the request's window judged; the ledger of each log that was read."""
    ledgers = []
    for path in logs(store):
        if request.origin is not None and not lies_at(request.origin, path):
            continue
        outcome = verify_log(
            store, path, keys, request, sink=partial(_hand_over, judge, path), progress=progress
        )
        ledgers.append(outcome.ledger)
    if not ledgers:
        nothing = Ledger(store.url)
        nothing.add("nothing-found", request.origin or store.url)
        ledgers.append(nothing)
    return ledgers


def _hand_over(judge: Judge, path: str, verified: Verified) -> None:
    if verified.events is not None:
        judge.judge(Place(path.rstrip("/"), verified.seq), verified.events, verified.data)
