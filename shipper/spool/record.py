"""What a spool record looks like on disk. Bytes in, values out; no file is touched here.

A record is a small file that stays (`RecordFile`, JSON: manifest, checkpoint, tree, and an index)
and, where the record has more to ship, a data file with the bodies in shipping order, which goes
once they are in the store.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from shipper.errors import SpoolError
from shipper.model import Record, StoredObject

VERSION = "audit-shipper/spool/v1"


class Slice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object in the data file, behind those before it."""

    key: str
    size: int
    sha256: str


class RecordFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The small file. Its arrival under its final name is the commit."""

    version: str
    seq: int
    keep_from: int
    before: tuple[Slice, ...]
    manifest: StoredObject
    after: tuple[Slice, ...]
    checkpoint: StoredObject
    tree: tuple[tuple[bytes, ...], ...]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(RecordFile)


def encode(record: Record) -> tuple[bytes, bytes]:
    """The record file's bytes and the data file's bytes (empty: there is none)."""
    small = RecordFile(
        version=VERSION,
        seq=record.seq,
        keep_from=record.keep_from,
        before=_index(record.before),
        manifest=record.manifest,
        after=_index(record.after),
        checkpoint=record.checkpoint,
        tree=record.tree,
    )
    bodies = [stored.body for stored in (*record.before, *record.after)]
    data = bodies[0] if len(bodies) == 1 else b"".join(bodies)
    return _encoder.encode(small) + b"\n", data


def decode(body: bytes, *, name: str) -> RecordFile:
    """The record file. `SpoolError` names the file and what to do."""
    try:
        small = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SpoolError(
            f"the spool record {name} is damaged: {error}", remedy=START_ANEW
        ) from error
    if small.version != VERSION:
        raise SpoolError(
            f"the spool record {name} is of version {small.version!r}",
            remedy="run the audit-shipper that wrote it until the spool is empty, or a newer one",
        )
    return small


def restore(small: RecordFile, data: bytes, *, name: str) -> Record:
    """The whole record. `SpoolError` if the data file's bytes are not those that were sealed."""
    bodies = []
    offset = 0
    for part in (*small.before, *small.after):
        body = data[offset : offset + part.size]
        if sha256(body).hexdigest() != part.sha256:
            raise SpoolError(
                f"the spool record {name} is damaged: {part.key} is not what was sealed",
                remedy=START_ANEW,
            )
        bodies.append(StoredObject(part.key, body, part.sha256))
        offset += part.size
    return Record(
        seq=small.seq,
        keep_from=small.keep_from,
        before=tuple(bodies[: len(small.before)]),
        manifest=small.manifest,
        after=tuple(bodies[len(small.before) :]),
        checkpoint=small.checkpoint,
        tree=small.tree,
    )


START_ANEW = (
    "keep a copy of the spool for the investigation, then move it away:"
    " the next start begins a new instance that names the old one"
)


def _index(objects: tuple[StoredObject, ...]) -> tuple[Slice, ...]:
    return tuple(
        Slice(stored.key, len(stored.body), stored.sha256 or sha256(stored.body).hexdigest())
        for stored in objects
    )
