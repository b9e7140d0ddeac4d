"""The text of a manifest and of a log's identity: canonical JSON behind a version line.

Encodes and decodes; signs nothing, judges nothing but form.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Annotated, TypeVar

import msgspec

from shipper.errors import FormatError, VersionError
from shipper.model import Manifest
from shipper.seal.note import MAX_TEXT_BYTES

MANIFEST_VERSION = b"audit-shipper/manifest/v1\n"
IDENTITY_VERSION = b"audit-shipper/log/v1\n"
FIRST_PREV = "0" * 64

_encoder = msgspec.json.Encoder(order="sorted")


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `log.note` says: which log this is, under which key, since when, made by what."""

    agent: str
    created: Annotated[datetime, msgspec.Meta(tz=True)]
    log: str
    vkey: str


_Text = TypeVar("_Text", Manifest, Identity)
_manifests = msgspec.json.Decoder(Manifest)
_identities = msgspec.json.Decoder(Identity)


def encode_manifest(manifest: Manifest) -> bytes:
    """The note text. `FormatError` if it would not fit an entry bundle (64 KiB)."""
    text = MANIFEST_VERSION + _encoder.encode(manifest) + b"\n"
    if len(text) > MAX_TEXT_BYTES:
        raise FormatError(f"manifest {manifest.seq} has {len(text)} bytes, more than 65,535")
    return text


def decode_manifest(text: bytes) -> Manifest:
    """The manifest in a note text. `FormatError` if it is none, `VersionError` if it is newer."""
    return _decode(text, MANIFEST_VERSION, _manifests)


def encode_identity(identity: Identity) -> bytes:
    """The text of `log.note`."""
    return IDENTITY_VERSION + _encoder.encode(identity) + b"\n"


def decode_identity(text: bytes) -> Identity:
    """The identity in the text of a `log.note`."""
    return _decode(text, IDENTITY_VERSION, _identities)


def text_hash(text: bytes) -> str:
    """What the next manifest's `prev` must be."""
    return sha256(text).hexdigest()


def _decode(text: bytes, version: bytes, decoder: msgspec.json.Decoder[_Text]) -> _Text:
    if not text.startswith(version):
        first = text.partition(b"\n")[0][:60].decode(errors="replace")
        if text.startswith(version[: version.rindex(b"/v") + 2]):
            raise VersionError(
                f"the record says {first!r}, which this program does not know",
                remedy="verify with a newer audit-shipper",
            )
        raise FormatError(f"the text begins with {first!r}, not {version.decode().strip()!r}")
    body = text[len(version) :]
    try:
        value = decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FormatError(f"the JSON is not what the format says: {error}") from error
    # One value has one encoding: no duplicate or reordered keys that two readers could read
    # differently, no second line.
    if _encoder.encode(value) + b"\n" != body:
        raise FormatError("the JSON is not in canonical form")
    return value
