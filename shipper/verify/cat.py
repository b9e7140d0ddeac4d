"""The verified bytes of batches, in the order in which they were sealed.

Gives away nothing that no trusted key has signed, or that is not what was signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from shipper.model import Data, Findings
from shipper.seal.keys import VerifierKey
from shipper.store.base import Store
from shipper.verify import succession
from shipper.verify.discover import logs
from shipper.verify.frame import unpack
from shipper.verify.identity import introduce, lies_at
from shipper.verify.ledger import Ledger
from shipper.verify.log import read_genesis, supersedes_of, verify_log
from shipper.verify.outcome import Outcome
from shipper.verify.payload import Verified
from shipper.verify.reader import Reader
from shipper.verify.request import Numbers, Request

Write = Callable[[bytes], object]


def cat(
    store: Store,
    keys: Sequence[VerifierKey],
    write: Write,
    *,
    origin: str | None = None,
    numbers: Numbers | None = None,
    findings: bool = False,
) -> Iterator[Ledger]:
    """Write the bytes of each log (or the one asked), or its `findings`, a JSON text a line.

    Yields a log's ledger when it is through. A whole log is verified in full; of a range only its
    manifests and data are.
    """

    def sink(verified: Verified) -> None:
        wanted: Data | Findings | None = verified.data
        body = verified.events
        if findings:
            wanted, body = verified.findings, verified.found
        if wanted is not None and body is not None:
            for piece in unpack(body, wanted.raw_size):
                write(piece)

    found = False
    for outcome in _ordered(store, keys, origin):
        found = True
        if not outcome.origin:
            yield outcome.ledger
        else:
            request = Request(origin=outcome.origin, numbers=numbers)
            yield verify_log(store, outcome.path, keys, request, sink=sink).ledger
    if not found:
        nothing = Ledger(store.url)
        nothing.add("nothing-found", origin or store.url)
        yield nothing


def _ordered(store: Store, keys: Sequence[VerifierKey], origin: str | None) -> list[Outcome]:
    """The logs in succession order, as far as their first manifests tell it."""
    outcomes = []
    for path in logs(store):
        if origin is not None and not lies_at(origin, path):
            continue
        outcome = Outcome(path, path or store.url)
        reader = Reader(store, path, keys, outcome.ledger)
        introduce(reader, path)
        outcome.origin = reader.name
        if not reader.name:
            outcome.ledger.add("log-untrusted")
        elif origin not in (None, reader.name):
            continue
        else:
            genesis = read_genesis(reader)
            if genesis is not None:
                outcome.created, outcome.supersedes = genesis.time.wall, supersedes_of(genesis)
        outcomes.append(outcome)
    return succession.in_order(outcomes)
