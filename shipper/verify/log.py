"""Verifies one log, from its name to its last stray object.

The order of the steps stands here; the rules stand in the modules that it calls. Whatever the
archive holds, it ends in an `Outcome` and never in an exception.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile

from msgspec import UnsetType

from shipper.errors import StoreError
from shipper.model import Manifest, Supersedes
from shipper.seal.keys import VerifierKey
from shipper.seal.manifest import FIRST_PREV
from shipper.seal.merkle import TILE_WIDTH
from shipper.store.base import Store
from shipper.verify import manifests, plan, retention
from shipper.verify.checkpoints import Checkpoints, newest_checkpoint
from shipper.verify.heads import SeenFile, SeenLog
from shipper.verify.identity import check_genesis, introduce
from shipper.verify.outcome import Outcome
from shipper.verify.payload import Payload, Sink
from shipper.verify.reader import Reader
from shipper.verify.report import SeenHead
from shipper.verify.request import Numbers, Progress, Request, Window
from shipper.verify.resume import check_key, check_last, check_length, may_resume
from shipper.verify.strays import Strays
from shipper.verify.tiles import Tiles
from shipper.verify.walk import Start, Walk
from shipper.verify.window import begin


def verify_log(
    store: Store,
    path: str,
    keys: Sequence[VerifierKey],
    request: Request,
    *,
    seen: Mapping[str, SeenLog] | None = None,
    sink: Sink | None = None,
    progress: Progress = lambda _log, _manifests, _raw_bytes: None,
) -> Outcome:
    """Verify the log at `path`. `seen`: what is remembered, by origin; `sink`: see `Payload`."""
    outcome = Outcome(path, path or store.url)
    reader = Reader(store, path, keys, outcome.ledger)
    check = _LogCheck(reader, outcome, request, seen or {}, sink, progress)
    try:
        check.run()
    except StoreError as error:
        outcome.ledger.add("store-failed", str(error))
    except OSError:
        raise  # the sink's: stores have errors of their own
    except Exception as error:  # noqa: BLE001 a hostile log must not take the others' verdicts along
        outcome.ledger.add("check-failed", f"{type(error).__name__}: {error}")
    check.conclude()
    return outcome


class _LogCheck:
    """The verification of one log in the making; `conclude` works however far it went."""

    def __init__(
        self,
        reader: Reader,
        outcome: Outcome,
        request: Request,
        seen: Mapping[str, SeenLog],
        sink: Sink | None,
        progress: Progress,
    ) -> None:
        self._reader = reader
        self._outcome = outcome
        self._request = request
        self._all_seen = seen
        self._seen: SeenLog | None = None
        self._sink = sink
        self._progress = progress
        self._start = Start()
        self._walk: Walk | None = None
        self._genesis: Manifest | None = None

    def run(self) -> None:
        """Name, start, manifests, and what must be there besides."""
        reader = self._reader
        identity = introduce(reader, self._outcome.path)
        if not reader.name:
            reader.ledger.add("log-untrusted")
            return
        self._outcome.origin = reader.name
        if self._request.origin not in (None, reader.name):
            return
        self._seen = self._all_seen.get(reader.name)
        if self._request.numbers is not None:
            self._go_numbers(self._request.numbers)
        elif self._request.depth == "chain":
            self._go_chain()
        else:
            self._go_full()
        if identity is not None and self._genesis is not None:
            check_genesis(reader, identity, self._genesis)
        if self._request.retention is not None:
            start, since = self._start, self._request.window.since
            self._outcome.locks = retention.check(
                reader, self._request.retention, first=start.seq, since=start.wall or since
            )

    def _go_full(self) -> None:
        reader, window = self._reader, self._request.window
        size = 0
        if window.since is not None:
            newest = newest_checkpoint(reader)
            size = newest.size if newest is not None else 0
        start = self._begin(size)
        strays = Strays(reader, start=start.seq, since=start.wall or window.since)
        checkpoints = Checkpoints(reader, from_size=start.seq)
        walk = self._new_walk(
            start, Payload(reader, window=window, strays=strays, sink=self._sink), bundles=True
        )
        with reader.ahead(plan.of_records(reader, start.seq, start.wall or window.since)):
            walk.along_notes(checkpoints)
        strays.look(self._finish(walk, checkpoints))

    def _go_chain(self) -> None:
        reader = self._reader
        newest = newest_checkpoint(reader)
        bundled = newest.size - newest.size % TILE_WIDTH if newest is not None else 0
        start = self._begin(bundled)
        checkpoints = Checkpoints(reader, from_size=max(bundled, start.seq))
        walk = self._new_walk(start, Payload(reader, window=None), bundles=False)
        with reader.ahead(plan.of_chain(reader, start.seq, bundled)):
            walk.along_bundles(bundled)
        walk.along_notes(checkpoints)
        self._finish(walk, checkpoints)

    def _go_numbers(self, wanted: Numbers) -> None:
        start = Start(tree=None)
        if wanted.first:
            start = Start(wanted.first, prev=None, tree=None, files_complete=False)
        payload = Payload(self._reader, window=Window(), sink=self._sink)
        self._start = start
        self._walk = walk = Walk(self._reader, start, payload, tiles=None, progress=self._progress)
        walk.along_notes(None, stop=wanted.last)
        last = wanted.first if wanted.last is None else wanted.last
        if walk.chain.seq <= last:
            self._reader.ledger.add("nothing-found", f"it ends before number {last}")

    def _begin(self, size: int) -> Start:
        """Where to start, in a log with a checkpoint of `size`."""
        seen, since = self._seen, self._request.window.since
        if seen is not None:
            check_key(self._reader, seen)
            if may_resume(seen, self._request.depth) and not self._request.again:
                check_last(self._reader, seen)
                self._outcome.resumed = True
                return seen.start()
            return Start(seen=(seen.size - 1, seen.sha256))
        if since is None:
            return Start()
        start = begin(self._reader, since, size)
        if start.seq:
            self._genesis = read_genesis(self._reader)
        return start

    def _new_walk(self, start: Start, payload: Payload, *, bundles: bool) -> Walk:
        tiles = Tiles(self._reader, bundles=bundles)
        self._start, self._tiles = start, tiles
        self._walk = Walk(self._reader, start, payload, tiles=tiles, progress=self._progress)
        return self._walk

    def _finish(self, walk: Walk, checkpoints: Checkpoints) -> int:
        """The last manifest is taken: what is promised beyond it is missing.

        Returns the size that is promised.
        """
        size, ledger = walk.chain.seq, self._reader.ledger
        promised = checkpoints.newest_size
        self._tiles.settle(required=promised is not None and promised >= size)
        promised_size = checkpoints.finish(size)
        walk.sources.settle()
        if promised is None and size - self._start.seq >= TILE_WIDTH:
            ledger.add("checkpoint-missing", f"it has {size} manifests")
        if not size:
            ledger.add("log-empty")
        if self._seen is not None:
            check_length(self._reader, self._seen, size)
        self._genesis = walk.genesis or self._genesis
        return promised_size

    def conclude(self) -> None:
        """Put what was seen into the outcome, however far it went."""
        outcome, walk = self._outcome, self._walk
        outcome.key = self._reader.key.base64 if self._reader.key else None
        outcome.copies = self._reader.copies
        if walk is None:
            return
        chain, payload = walk.chain, walk.payload
        outcome.manifests = walk.manifests
        outcome.data_batches = payload.batches
        outcome.data_first_seq, outcome.data_last_seq = payload.first_seq, payload.last_seq
        outcome.lines, outcome.raw_bytes = payload.lines, payload.raw_bytes
        outcome.findings = payload.findings
        if not walk.sources.first_explained:
            outcome.first_spans = walk.sources.first
        outcome.files = tuple(SeenFile(f.device, f.inode, f.end) for f in walk.sources.files)
        if chain.seq and chain.prev is not None:
            outcome.head = SeenHead(chain.seq - 1, chain.prev, chain.wall)
        if walk.manifests:
            outcome.first_seq = self._start.seq
        self._succession()
        everything = not self._start.seq and self._request.window == Window()
        if everything or outcome.resumed:
            outcome.seen = self._to_remember(walk)

    def _succession(self) -> None:
        seen, outcome = self._seen, self._outcome
        genesis = self._genesis or (self._walk.genesis if self._walk is not None else None)
        if genesis is not None:
            outcome.created = genesis.time.wall
            outcome.supersedes = supersedes_of(genesis)
        elif seen is not None and outcome.resumed:
            outcome.created, outcome.supersedes = seen.created, seen.supersedes

    def _to_remember(self, walk: Walk) -> SeenLog | None:
        chain, tree, outcome = walk.chain, walk.tree, self._outcome
        key, prev, wall, created = outcome.key, chain.prev, chain.wall, outcome.created
        if tree is None or key is None or prev is None or wall is None or created is None:
            return None
        return SeenLog(
            origin=outcome.origin,
            key=key,
            depth=self._request.depth,
            size=chain.seq,
            sha256=prev,
            wall=wall,
            boots=chain.boots,
            tree=[[digest.hex() for digest in level] for level in tree.levels],
            files=list(outcome.files),
            created=created,
            supersedes=outcome.supersedes,
        )


def supersedes_of(genesis: Manifest) -> Supersedes | None:
    """What the log takes over from."""
    return None if isinstance(genesis.supersedes, UnsetType) else genesis.supersedes


def read_genesis(reader: Reader) -> Manifest | None:
    """The first manifest, where the walk does not begin with it."""
    listed = manifests.numbered(reader, manifests.PLACE)
    keys = (key for _, key in takewhile(lambda pair: pair[0] == 0, listed))
    found = manifests.choose(reader, 0, keys, FIRST_PREV)
    return found.manifest if found is not None else None
