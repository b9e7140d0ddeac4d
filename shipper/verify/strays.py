"""Objects below a log's prefix that no signed manifest accounts for: somebody else put them there.

Remembers 8 bytes per manifest, whatever the order of the keys; reads names only.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from datetime import datetime
from hashlib import blake2b

from shipper.model import Manifest
from shipper.seal import layout
from shipper.seal.merkle import TILE_WIDTH, tile_path
from shipper.verify import checkpoints, manifests
from shipper.verify.reader import Reader

EVENTS, FINDINGS, TILE = "events/", "findings/", "tile/"
PLACES = (checkpoints.PLACE, EVENTS, FINDINGS, manifests.PLACE, TILE)

_DATA_NAME = re.compile(r"date=[0-9-]{10}/hour=[0-9]{2}/([0-9]{12})-[0-9a-f]{16}\.ndjson\.zst")
_TILE_NAME = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,4}[0-9]{3})")

_NO_DATA = 1


def first_partition(place: str, since: datetime | None) -> str:
    """`after` for a listing of the data sealed since; what is earlier was listed earlier."""
    return "" if since is None else f"{place}date={since:%Y-%m-%d}/hour={since:%H}"


class Accounts:
    """For each number a key, as 8 bytes of hash; 0 where there is none."""

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def __setitem__(self, seq: int, fingerprint: int) -> None:
        page = self._pages.get(seq // TILE_WIDTH)
        if page is None:
            page = self._pages[seq // TILE_WIDTH] = array("Q", bytes(8 * TILE_WIDTH))
        page[seq % TILE_WIDTH] = fingerprint

    def __getitem__(self, seq: int) -> int:
        page = self._pages.get(seq // TILE_WIDTH)
        return page[seq % TILE_WIDTH] if page is not None else 0


def _fingerprint(key: str) -> int:
    digest = blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class Strays:
    """Looks for them in a log whose manifests `start` to `size - 1` were verified."""

    def __init__(self, reader: Reader, *, start: int, since: datetime | None) -> None:
        self._events = Accounts()
        self._findings = Accounts()
        self._reader = reader
        self._start = start
        self._since = since
        self._size = start
        self._listed_size: int | None = None

    def expect(self, seq: int, manifest: Manifest) -> None:
        """Manifest `seq` is verified: it accounts for what it names."""
        data, findings = manifest.data, manifest.findings
        self._events[seq] = _fingerprint(data.key) if data is not None else _NO_DATA
        if findings is not None:
            self._findings[seq] = _fingerprint(findings.key)

    def look(self, size: int) -> None:
        """Write down every object that nothing accounts for, in a log of `size` manifests.

        What belongs to a manifest that is missing is not judged: its absence is the problem.
        """
        self._size = size
        for place, accounts in ((EVENTS, self._events), (FINDINGS, self._findings)):
            after = first_partition(place, self._since) if self._start else ""
            for key in self._below(place, after=after):
                self._judge_data(key, key[len(place) :], accounts)
        for key in self._below(TILE):
            if not self._is_due_tile(key):
                self._stray(key)
        for key in self._beside():
            self._stray(key)

    def _below(self, place: str, *, after: str = "") -> Iterator[str]:
        reader = self._reader
        for entry in reader.store.scan(reader.full(place), after=after and reader.full(after)):
            reader.listed(entry)
            if entry.versions:  # else it is a marker over nothing
                yield entry.key[len(reader.prefix) :]

    def _judge_data(self, key: str, name: str, accounts: Accounts) -> None:
        match = _DATA_NAME.fullmatch(name)
        if match is None:
            self._stray(key)
            return
        seq = int(match[1])
        if seq < self._size:
            is_verified = seq >= self._start and self._events[seq] != 0
            is_stray = is_verified and accounts[seq] != _fingerprint(key)
        else:  # data is shipped before its manifest: the next number's may be on its way
            is_stray = seq > self._newest_size()
        if is_stray:
            self._stray(key)

    def _is_due_tile(self, key: str) -> bool:
        match = _TILE_NAME.fullmatch(key)
        if match is None:
            return False
        index = int(match[2].replace("x", "").replace("/", ""))
        level = -1 if match[1] == "entries" else int(match[1])
        named = tile_path("entries" if level < 0 else level, index)
        needed = (index + 1) * TILE_WIDTH ** (max(level, 0) + 1)
        return named == key and (needed <= self._size or needed <= self._newest_size())

    def _newest_size(self) -> int:
        """How many manifests are there by now, in a log that is being written to."""
        if self._listed_size is None:
            last = self._reader.store.last(self._reader.full(manifests.PLACE))
            number = manifests.number_in(last.key.rsplit("/", 1)[-1]) if last else None
            self._listed_size = max(self._size, 0 if number is None else number + 1)
        return self._listed_size

    def _beside(self) -> Iterator[str]:
        """What lies below the prefix, but in none of the format's places."""
        reader, after = self._reader, ""
        while True:
            for entry in reader.store.scan(reader.prefix, after=after):
                key = entry.key[len(reader.prefix) :]
                place = next((p for p in PLACES if key.startswith(p)), None)
                if place is not None:
                    after = reader.full(place[:-1]) + "0"  # the character after "/"
                    break
                reader.listed(entry)
                if key != layout.IDENTITY and entry.versions:
                    yield key
            else:
                return

    def _stray(self, key: str) -> None:
        self._reader.ledger.add("object-stray", key=self._reader.full(key))
