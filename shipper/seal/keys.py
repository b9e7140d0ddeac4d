"""Public keys: what an auditor trusts. Parsing, naming, verifying; no private key, no network.

Verification is libsodium's `crypto_sign_verify_detached`: the cofactorless equation, S below the
group order, no A or R of small order, A in canonical encoding. `tests/seal/test_keys.py`
pins that against the CCTV vectors; `docs/format.md` states it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from pathlib import Path

import nacl.bindings
import nacl.exceptions
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shipper.errors import ConfigError, FormatError
from shipper.seal.note import Note

ED25519 = b"\x01"
"""The signature type byte that C2SP signed-note assigns to Ed25519."""

_PUBLIC_BYTES = 32
_SIGNATURE_BYTES = 64
_MAX_FILE_BYTES = 64 * 1024


class VerifierKey:
    """An Ed25519 public key. It bears no name: a log's origin names it."""

    def __init__(self, public: bytes) -> None:
        if len(public) != _PUBLIC_BYTES:
            raise ConfigError(f"an Ed25519 public key has 32 bytes, not {len(public)}")
        self.public = public

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifierKey) and self.public == other.public

    def __hash__(self) -> int:
        return hash(self.public)

    @property
    def base64(self) -> str:
        """The 32 bytes on one line, as `keys generate` prints them."""
        return base64.b64encode(self.public).decode()

    def key_id(self, name: str) -> bytes:
        """SHA-256(name || 0x0A || type || public key)[:4]."""
        return hashlib.sha256(name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def vkey(self, name: str) -> str:
        """The key in C2SP's own form: `<name>+<key id>+<type and key>`."""
        encoded = base64.b64encode(ED25519 + self.public).decode()
        return f"{name}+{self.key_id(name).hex()}+{encoded}"

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is this key's over `message`."""
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            nacl.bindings.crypto_sign_open(signature + message, self.public)
        except nacl.exceptions.BadSignatureError:
            return False
        return True


def signer_of(note: Note, name: str, keys: Iterable[VerifierKey]) -> VerifierKey:
    """The trusted key that signed `note` under `name`. `FormatError` where there is none.

    As C2SP asks, a bad signature by a known key rejects the note, and unknown keys are ignored.
    """
    found: VerifierKey | None = None
    by_id = {key.key_id(name): key for key in keys}
    for signature in note.signatures:
        key = by_id.get(signature.key_id) if signature.name == name else None
        if key is None:
            continue
        if not key.verify(note.text, signature.signature):
            raise FormatError("the signature does not match the text")
        found = key
    if found is None:
        raise FormatError("no signature by a trusted key")
    return found


def load_keys(text: str) -> list[VerifierKey]:
    """KEY as a person gives it: base64, a C2SP verifier key, a PEM file, a directory of these."""
    path = Path(text)
    try:
        if path.is_dir():
            keys = [key for file in sorted(path.iterdir()) if file.is_file() for key in _file(file)]
            if not keys:
                raise ConfigError(f"the directory {text} holds no key files")
            return keys
        if path.is_file():
            return _file(path)
    except OSError as error:
        raise ConfigError(f"the key {text} cannot be read: {error.strerror}") from error
    return [parse_key(text)]


def _file(path: Path) -> list[VerifierKey]:
    with path.open("rb") as file:
        body = file.read(_MAX_FILE_BYTES)
    if b"PRIVATE KEY" in body:
        raise ConfigError(
            f"{path} is a private key", remedy=f"give its public half, usually {path}.pub"
        )
    if b"-----BEGIN" in body:
        return [_pem(body, path)]
    lines = body.decode(errors="replace").split()
    try:
        return [parse_key(line) for line in lines]
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", remedy=error.remedy) from error


def _pem(body: bytes, path: Path) -> VerifierKey:
    try:
        key = serialization.load_pem_public_key(body)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} is not a readable public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(f"{path} is not an Ed25519 key")
    return VerifierKey(key.public_bytes_raw())


def parse_key(text: str) -> VerifierKey:
    """A key on one line: base64 of 32 bytes, or `<name>+<id>+<base64>` (the name is ignored)."""
    encoded = text.strip()
    verifier = encoded.split("+", 2)
    try:
        # base64 has "+" in its own alphabet: only 33 decoded bytes behind two "+" are a vkey.
        if len(verifier) == 3 and len(verifier[1]) == 8:
            raw = base64.b64decode(verifier[2], validate=True)
            if len(raw) == 1 + _PUBLIC_BYTES and raw[:1] == ED25519:
                return VerifierKey(raw[1:])
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _not_a_key(text) from error
    if len(raw) != _PUBLIC_BYTES:
        raise _not_a_key(text)
    return VerifierKey(raw)


def _not_a_key(text: str) -> ConfigError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return ConfigError(
        f"{shown!r} is neither a file nor an Ed25519 public key",
        remedy="give the base64 of its 32 bytes, a C2SP verifier key, a PEM file,"
        " or a directory of such files",
    )
