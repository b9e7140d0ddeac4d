"""Does somebody else write this log? A cloned node or a restored snapshot has its key and spool.

Two such daemons seal different manifests under the same numbers, and keys are made of contents, so
that no upload ever meets the other's. What is listed beyond the last known manifest tells. What
our key has not signed is no second writer: whoever can write to the store could stop us with it.
"""

from __future__ import annotations

import re

from shipper.errors import ConflictError, FormatError, NotFoundError, RefusedError, SpoolError
from shipper.pipeline.oldest import read_oldest
from shipper.seal import layout
from shipper.seal.keys import VerifierKey, signer_of
from shipper.seal.manifest import decode_manifest
from shipper.spool.spool import Spool
from shipper.store.base import Entry, Store

_NUMBERED = re.compile(r"([0-9]{12})-[0-9a-f]{16}\.note")

_FOREIGN = 1000
"""Objects that nobody knows, which are looked at; `verify` reports each."""


class Fence:
    """Looks from the last manifest that was found to be ours. Blocking; one thread at a time."""

    def __init__(self, store: Store, log: str, key: VerifierKey, spool: Spool) -> None:
        self._store = store
        self._log = log
        self._key = key
        self._place = layout.log_prefix(log) + layout.MANIFESTS
        self._spool = spool
        self._shipped: dict[int, str] = {}
        self._foreign: set[str] = set()
        oldest, newest = spool.oldest_pending(), spool.newest()
        self._from = oldest if oldest is not None else newest or 0

    def shipped(self, seq: int, key: str) -> None:
        """This manifest of ours is in the store now."""
        self._shipped[seq] = key

    def check(self) -> None:
        """`ConflictError` if there is a manifest of this log that this spool did not seal."""
        seen = self._from
        for entry in self._store.scan(self._place, after=f"{self._place}{self._from:012d}"):
            name = entry.key[len(self._place) :]
            match = _NUMBERED.fullmatch(name)
            if match is None or entry.key in self._foreign:
                continue
            seq = int(match[1])
            if layout.MANIFESTS + name == self._own_key(seq):
                seen = max(seen, seq)
            elif len(self._foreign) < _FOREIGN:
                self._judge(entry, seq)
        self._from = seen
        self._shipped = {seq: key for seq, key in self._shipped.items() if seq >= seen}

    def _own_key(self, seq: int) -> str | None:
        if seq in self._shipped:
            return self._shipped[seq]
        try:
            return self._spool.kept(seq).manifest.key
        except SpoolError:
            return None

    def _judge(self, entry: Entry, seq: int) -> None:
        key = entry.key
        try:
            parsed = read_oldest(self._store, entry)
            signer_of(parsed, self._log, [self._key])
            sealed = decode_manifest(parsed.text)
        except (FormatError, NotFoundError, RefusedError):  # or one that we may not read
            self._foreign.add(key)
            return
        if (sealed.log, sealed.seq) != (self._log, seq):  # an old one under a new name
            self._foreign.add(key)
            return
        raise ConflictError(
            f"{key} was not sealed here: another daemon writes to this log, or this spool is an old"
            " copy",
            remedy="keep a copy of the spool for the investigation, see that one daemon alone runs,"
            " then move the spool away: the next start begins a new instance that names the last"
            " record in the store",
        )
