"""Whether every version of a log's objects is locked: in which mode, and until when.

Asks the store about each version: neither the bucket's default nor a record says how an object is
locked. What the store does not say is unknown, never fine.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from shipper.errors import NotFoundError, UnknownError
from shipper.seal import layout
from shipper.store.base import Entry, Lock
from shipper.verify import checkpoints, manifests, strays
from shipper.verify.reader import Reader
from shipper.verify.request import Retention

_AT_ONCE = 1024


class Locks(NamedTuple):
    """What was found: object versions that are locked, and when the first of these locks ends."""

    versions: int = 0
    first_end: datetime | None = None


class _Answer(NamedTuple):
    key: str
    lock: Lock | None = None
    unknown: str = ""
    gone: bool = False


def check(reader: Reader, asked: Retention, *, first: int, since: datetime | None) -> Locks:
    """Write down every version that is not locked as asked.

    Those of manifests from number `first` on, the data sealed `since`, and all tiles.
    """
    locked, first_end = 0, None
    with ThreadPoolExecutor(reader.store.parallel, thread_name_prefix="locks") as threads:
        for some in _some(_versions(reader, first, since)):
            for answer in threads.map(lambda pair: _ask(reader, *pair), some):
                _judge(reader, asked, answer)
                if answer.lock is not None:
                    locked += 1
                    end = answer.lock.until
                    first_end = end if first_end is None else min(first_end, end)
    return Locks(locked, first_end)


def _some(pairs: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    while some := list(islice(pairs, _AT_ONCE)):
        yield some


def _versions(reader: Reader, first: int, since: datetime | None) -> Iterator[tuple[str, str]]:
    identity = reader.full(layout.IDENTITY)
    yield from ((identity, version) for version in reader.store.versions(identity))
    for entry in _entries(reader, first, since):
        if entry.versions == 1:
            yield entry.key, entry.version
        else:
            yield from ((entry.key, version) for version in reader.store.versions(entry.key))


def _entries(reader: Reader, first: int, since: datetime | None) -> Iterator[Entry]:
    for place in strays.PLACES:
        after = ""
        if first and place in (checkpoints.PLACE, manifests.PLACE):
            after = manifests.from_number(place, first)
        elif first and place != strays.TILE:
            after = strays.first_partition(place, since)
        yield from reader.store.scan(reader.full(place), after=after and reader.full(after))


def _ask(reader: Reader, key: str, version: str) -> _Answer:
    try:
        return _Answer(key, reader.store.lock(key, version))
    except UnknownError as error:
        return _Answer(key, unknown=error.message)
    except NotFoundError:
        return _Answer(key, gone=True)


def _judge(reader: Reader, asked: Retention, answer: _Answer) -> None:
    add, key, lock = reader.ledger.add, answer.key, answer.lock
    if answer.gone:
        add("object-vanished", key=key)
    elif answer.unknown:
        add("lock-unknown", answer.unknown, key=key)
    elif lock is None:
        add("lock-missing", key=key)
    else:
        if lock.until < asked.until:
            add("lock-short", f"until {lock.until:%Y-%m-%dT%H:%M:%SZ}", key=key)
        if lock.mode != asked.mode and asked.mode == "COMPLIANCE":
            add("lock-weak", f"in {lock.mode} mode", key=key)
