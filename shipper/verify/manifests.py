"""The manifests of a log as the store lists them: by number, forged ones told from the one.

Reads and chooses; what ties one to the next is judged in `chain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from shipper.errors import FormatError, VersionError
from shipper.model import Manifest
from shipper.seal import layout
from shipper.seal.manifest import decode_manifest
from shipper.store.base import Entry
from shipper.verify.reader import Reader

PLACE = "manifest/"

_NAME = re.compile(r"([0-9]{12})-[0-9a-f]{16}\.note")


class Found(NamedTuple):
    """A signed manifest text. `manifest` is None if a newer program wrote it."""

    text: bytes
    manifest: Manifest | None


def number_in(name: str) -> int | None:
    """The number that a manifest's or checkpoint's file name bears; None if it is no such name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def from_number(place: str, number: int) -> str:
    """`after` for a listing of `place` that starts with this number; with 0, of all there is."""
    return f"{place}{number:012d}" if number else ""


def numbered(reader: Reader, place: str, *, after: str = "") -> Iterator[tuple[int, str]]:
    """(number, key) of what lies in `place`, in order; anything else there is a stray object."""
    start = reader.full(place)
    listed: Iterable[Entry] = reader.store.scan(start, after=reader.full(after) if after else "")
    for entry in listed:
        reader.listed(entry)
        if not entry.versions:
            continue  # a marker over nothing
        name = entry.key[len(start) :]
        number = number_in(name)
        if number is None:
            reader.ledger.add("object-stray", key=entry.key)
        else:
            yield number, place + name


def read_manifest(reader: Reader, seq: int, key: str) -> Found | None:
    """The manifest `seq` at `key` if it is this log's own; else None, and a problem."""

    def at(body: bytes) -> bool:
        return key == layout.manifest(seq, sha256(body).hexdigest())

    signed = reader.signed(key, at=at, seq=seq, missing="object-vanished")
    if signed is None:
        return None
    ledger, where = reader.ledger, reader.full(key)
    if not at(signed.body):
        ledger.add("manifest-name", seq=seq, key=where)
    try:
        manifest = decode_manifest(signed.text)
    except VersionError as error:
        ledger.add("version-newer", error.message, seq=seq, key=where)
        return Found(signed.text, None)
    except FormatError as error:
        ledger.add("manifest-malformed", error.message, seq=seq, key=where)
        return None
    if manifest.seq != seq:
        ledger.add("manifest-number", f"it says {manifest.seq}", seq=seq, key=where)
        return None
    if manifest.log != reader.name:
        ledger.add("manifest-log", f"it says {manifest.log}", seq=seq, key=where)
        return None
    return Found(signed.text, manifest)


def choose(reader: Reader, seq: int, keys: Iterable[str], prev: str | None) -> Found | None:
    """The one manifest among all objects numbered `seq`: the one that follows `prev`, if any does.

    However many forgeries lie beside it, it is found; each of them is a problem.
    """
    best: Found | None = None
    for key in keys:
        found = read_manifest(reader, seq, key)
        if found is None:
            continue
        if best is None:
            best = found
            continue
        code = "manifest-copy" if found.text == best.text else "manifest-fork"
        reader.ledger.add(code, seq=seq, key=reader.full(key))
        if not _follows(best, prev) and _follows(found, prev):
            best = found
    return best


def _follows(found: Found, prev: str | None) -> bool:
    return found.manifest is not None and found.manifest.prev == prev
