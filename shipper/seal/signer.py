"""Private keys: make one, load one, sign. Never prints, logs or overwrites one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.errors import ConfigError
from shipper.seal.keys import VerifierKey

_MAX_FILE_BYTES = 64 * 1024


class Signer(Protocol):
    """Signs note texts. Ed25519 is deterministic: the same text gives the same signature."""

    @property
    def key(self) -> VerifierKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519 signature (RFC 8032) over `message`."""
        ...


class FileSigner:
    """An Ed25519 private key from a PKCS#8 PEM file that nobody else can read."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._key = VerifierKey(private.public_key().public_bytes_raw())

    @property
    def key(self) -> VerifierKey:
        return self._key

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    @classmethod
    def load(cls, path: Path) -> FileSigner:
        """Read the key. `ConfigError` if it is missing, readable by others, or of another kind."""
        return cls(_parse(_read_private(path), path))


def _read_private(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no signing key at {path}", remedy=f"audit-shipper keys generate {path}"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"the signing key {path} cannot be read: {error.strerror}",
            remedy="run as the key's owner",
        ) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(f"the signing key {path} is not a regular file")
        if _others_may_read(status, uid=os.geteuid(), gid=os.getegid()):
            raise ConfigError(
                f"the signing key {path} can be read by others"
                f" (mode {stat.S_IMODE(status.st_mode):04o})",
                remedy=f"chmod 0600 {path}, and make a new key if anybody else may have read it",
            )
        return os.read(fd, _MAX_FILE_BYTES)
    finally:
        os.close(fd)


def _others_may_read(status: os.stat_result, *, uid: int, gid: int) -> bool:
    """Whether anybody but root and the program (`uid`, `gid`) could have the key.

    Root can give a file to a program that is not root in two ways, and both show as a right of the
    group to read: Kubernetes sets the group of a Secret's files (`fsGroup`), systemd an ACL on a
    credential (systemd.exec(5)), whose mask stands where the right of the group, root, would.
    """
    mode = status.st_mode & 0o077
    handed_over = status.st_uid == 0 and uid != 0 and status.st_gid in (0, gid)
    return mode != 0 and not (mode == 0o040 and handed_over)


def _parse(body: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        private = serialization.load_pem_private_key(body, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(
            f"{path} is not an unencrypted PKCS#8 PEM private key",
            remedy="make one with audit-shipper keys generate FILE",
        ) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ConfigError(
            f"{path} is not an Ed25519 key", remedy="make one with audit-shipper keys generate FILE"
        )
    return private


def generate(path: Path) -> VerifierKey:
    """Write a new private key to `path` (0600) and its public half to `path`.pub (PEM, 0644).

    Neither is ever overwritten: `ConfigError` if one exists.
    """
    private = Ed25519PrivateKey.generate()
    public_path = path.with_name(path.name + ".pub")
    if public_path.exists():
        raise _exists(public_path)
    _write_new(
        path,
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        mode=0o600,
    )
    _write_new(public_path, public_pem(private), mode=0o644)
    return VerifierKey(private.public_key().public_bytes_raw())


def public_pem(private: Ed25519PrivateKey) -> bytes:
    """The public half as PEM (SubjectPublicKeyInfo), as openssl reads it."""
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _write_new(path: Path, body: bytes, *, mode: int) -> None:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError as error:
        raise _exists(path) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(fd, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(fd)


def _exists(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} exists already and a key is never overwritten", remedy="choose another name"
    )
