"""Goes through verified history and hands each batch to the judge.

What does not verify is reported and not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from shipper.backtest.judge import Judge
from shipper.backtest.tally import Place
from shipper.errors import ConfigError
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
    """Have every batch in the request's window judged; the ledger of each log that was read.

    Raises `ConfigError` where policies are to be replayed from more than one log: a policy that was
    written through one API server is in that server's log alone.
    """
    ledgers = []
    paths = [
        path for path in logs(store) if request.origin is None or lies_at(request.origin, path)
    ]
    if judge.replays and len(paths) > 1:
        raise ConfigError(
            f"{store.url} has {len(paths)} logs, and the policies of each moment are read from one",
            remedy="name it with --log ORIGIN",
        )
    for path in paths:
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
