"""Which log this is: from log.note, or else from its manifests.

A name is taken only from a text that a trusted key has signed under that very name, and that lies
where a log of that name lies.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice

from shipper.errors import FormatError, NotFoundError, VersionError
from shipper.model import Manifest
from shipper.seal import layout, note
from shipper.seal.keys import signer_of
from shipper.seal.manifest import Identity, decode_identity
from shipper.verify import manifests
from shipper.verify.reader import Reader

_TRIED = 16
"""Manifests that are asked for the log's name where log.note does not give it."""


def lies_at(origin: str, path: str) -> bool:
    """Whether a log of this name may lie at `path`, of which the first parts may be unknown."""
    try:
        own = layout.log_prefix(origin)
    except ValueError:
        return False
    return f"/{own}".endswith(f"/{path}")


def introduce(reader: Reader, path: str) -> Identity | None:
    """Find the log's name and key; `reader.name` stays empty if nothing here can be trusted."""
    parsed = _note(reader, path)
    identity = _identity(reader, parsed, path) if parsed is not None else None
    reader.name = reader.name or _name_in_manifests(reader, path)
    if reader.name:
        reader.ledger.log = reader.name
    return identity


def _note(reader: Reader, path: str) -> note.Note | None:
    body = reader.get(
        layout.IDENTITY,
        max_bytes=note.MAX_NOTE_BYTES,
        right=lambda body: _introduces(reader, body, path),
        missing="identity-missing",
    )
    if body is None:
        return None
    try:
        return note.parse(body)
    except FormatError as error:
        reader.ledger.add("note-malformed", error.message, key=reader.full(layout.IDENTITY))
        return None


def _introduces(reader: Reader, body: bytes, path: str) -> bool:
    try:
        parsed = note.parse(body)
        with suppress(VersionError):
            decode_identity(parsed.text)
    except FormatError:
        return False
    return bool(_signed_name(reader, parsed, path))


def _identity(reader: Reader, parsed: note.Note, path: str) -> Identity | None:
    ledger, where = reader.ledger, reader.full(layout.IDENTITY)
    try:
        identity = decode_identity(parsed.text)
    except VersionError as error:
        # Only what is signed may say that it is of a later version.
        reader.name = _signed_name(reader, parsed, path)
        code = "version-newer" if reader.name else "note-unsigned"
        ledger.add(code, error.message, key=where)
        return None
    except FormatError as error:
        ledger.add("identity-malformed", error.message, key=where)
        return None
    if not reader.trusts(parsed, identity.log, layout.IDENTITY):
        return None
    if not lies_at(identity.log, path):
        ledger.add("identity-misplaced", f"it says {identity.log}", key=where)
        reader.key = None
        return None
    reader.name = identity.log
    if reader.key is None or identity.vkey != reader.key.vkey(identity.log):
        ledger.add("identity-contradicts", "it names another key", key=where)
    return identity


def _name_in_manifests(reader: Reader, path: str) -> str:
    for _, key in islice(manifests.numbered(reader, manifests.PLACE), _TRIED):
        try:
            body = reader.store.get(reader.full(key), max_bytes=note.MAX_NOTE_BYTES)
            name = _signed_name(reader, note.parse(body), path)
        except (FormatError, NotFoundError):
            continue
        if name:
            return name
    return ""


def _signed_name(reader: Reader, parsed: note.Note, path: str) -> str:
    """The name under which a trusted key has signed, if such a log may lie here; else empty."""
    for signature in parsed.signatures:
        if lies_at(signature.name, path):
            with suppress(FormatError):
                signer_of(parsed, signature.name, reader.keys)
                return signature.name
    return ""


def check_genesis(reader: Reader, identity: Identity, genesis: Manifest) -> None:
    """Both were made in one step: they tell the same time and program."""
    if (identity.created, identity.agent) != (genesis.time.wall, genesis.agent.version):
        reader.ledger.add("identity-contradicts", seq=0, key=reader.full(layout.IDENTITY))
