"""What a walk will ask for, in the order in which it will: for reading ahead.

A guess from names alone: whatever it leaves out or adds changes no answer.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from datetime import datetime

from shipper.seal.merkle import TILE_WIDTH, tile_path
from shipper.seal.note import MAX_NOTE_BYTES
from shipper.verify import checkpoints, manifests, strays
from shipper.verify.batch import MAX_STORED_BYTES
from shipper.verify.reader import Reader
from shipper.verify.tiles import BUNDLES, MAX_BUNDLE_BYTES, TILE_BYTES

Planned = tuple[str, int]
"""A key as the store knows it, and the most bytes."""

_NUMBER = re.compile(r"(?:.*/)?([0-9]{12})-[0-9a-f]{16}\.[a-z.]+")


def of_chain(reader: Reader, first: int, until: int) -> Iterator[Planned]:
    """Entry bundles and the tiles above them, for the manifests from `first` to before `until`.

    On its way it tells the reader of each bundle's versions: nothing but its age tells one from a
    forgery.
    """
    number = first // TILE_WIDTH
    after = reader.full(tile_path("entries", number - 1)) if number else ""
    for entry in reader.store.scan(reader.full(BUNDLES), after=after):
        reader.listed(entry)
        if number < until // TILE_WIDTH:
            yield entry.key, min(entry.size, MAX_BUNDLE_BYTES)
            yield reader.full(tile_path(0, number)), TILE_BYTES
        number += 1


def of_records(reader: Reader, first: int, since: datetime | None) -> Iterator[Planned]:
    """Manifests from `first` on, each with its data and the checkpoints that it completes."""
    data = strays.first_partition(strays.EVENTS, since) if first else ""
    for _, key, max_bytes in heapq.merge(
        _numbered(reader, manifests.PLACE, manifests.from_number(manifests.PLACE, first), 0),
        _numbered(reader, strays.EVENTS, data, 1),
        _numbered(reader, checkpoints.PLACE, manifests.from_number(checkpoints.PLACE, first), 2),
    ):
        yield key, max_bytes


def _numbered(
    reader: Reader, place: str, after: str, rank: int
) -> Iterator[tuple[tuple[int, int], str, int]]:
    """((the manifest's number, rank), key, most bytes); a checkpoint of size n goes with n - 1."""
    most = MAX_STORED_BYTES if place == strays.EVENTS else MAX_NOTE_BYTES
    for entry in reader.store.scan(reader.full(place), after=after and reader.full(after)):
        match = _NUMBER.fullmatch(entry.key[len(reader.prefix) :])
        if match is not None:
            number = int(match[1]) - (place == checkpoints.PLACE)
            yield (number, rank), entry.key, min(entry.size, most)
