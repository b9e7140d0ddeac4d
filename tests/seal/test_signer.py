"""Private keys: made once, kept private, refused when they are not."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.errors import ConfigError
from shipper.seal.keys import load_keys
from shipper.seal.signer import FileSigner, generate


def test_a_made_key_signs_and_its_public_half_verifies(tmp_path: Path) -> None:
    """Private and public file belong together, and the same text has the same signature."""
    key = generate(tmp_path / "key.pem")
    signer = FileSigner.load(tmp_path / "key.pem")
    assert load_keys(str(tmp_path / "key.pem.pub")) == [key] == [signer.key]
    signature = signer.sign(b"text")
    assert signature == signer.sign(b"text")
    assert key.verify(b"text", signature)
    assert not key.verify(b"Text", signature)


def test_openssl_reads_both_files(tmp_path: Path) -> None:
    """PKCS#8 and SubjectPublicKeyInfo in PEM, as other tools expect them."""
    generate(tmp_path / "key.pem")
    derived = subprocess.run(
        ["openssl", "pkey", "-in", tmp_path / "key.pem", "-pubout"], check=True, capture_output=True
    )
    assert derived.stdout == (tmp_path / "key.pem.pub").read_bytes()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """Any right for group or others is an error that says chmod."""
    generate(tmp_path / "key.pem")
    (tmp_path / "key.pem").chmod(mode)
    with pytest.raises(ConfigError, match="chmod 0600"):
        FileSigner.load(tmp_path / "key.pem")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_the_owner_alone_is_fine(tmp_path: Path, mode: int) -> None:
    """0600 and 0400 are accepted."""
    generate(tmp_path / "key.pem")
    (tmp_path / "key.pem").chmod(mode)
    FileSigner.load(tmp_path / "key.pem")


PROGRAM = 65532
"""Whom the program runs as, user and group, in an image or under a service manager."""


@contextlib.contextmanager
def running_as(user: int, *, groups: list[int]) -> Iterator[None]:
    """As if the program had been started as `user`, with a group of the same number."""
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


@pytest.fixture
def handed() -> Iterator[Path]:
    """A key that root owns, in a directory that others may enter."""
    if os.geteuid() != 0:
        pytest.skip("needs root: hands files to another user")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        generate(Path(folder) / "key.pem")
        yield Path(folder) / "key.pem"


def test_a_key_from_a_mounted_secret(handed: Path) -> None:
    """Kubernetes with fsGroup: owned by root, readable by the program's own group."""
    os.chown(handed, 0, PROGRAM)
    handed.chmod(0o440)
    with running_as(PROGRAM, groups=[]):
        FileSigner.load(handed)


def test_a_key_from_a_systemd_credential(handed: Path) -> None:
    """systemd: owned by root, an ACL lets the program's user read; the mode shows the mask."""
    handed.chmod(0o400)
    entries = [(0x01, 4, -1), (0x02, 4, PROGRAM), (0x04, 0, -1), (0x10, 4, -1), (0x20, 0, -1)]
    packed = b"".join(struct.pack("<HHi", *entry) for entry in entries)
    try:
        os.setxattr(handed, "system.posix_acl_access", struct.pack("<I", 2) + packed)
    except OSError:
        pytest.skip("the file system under the temporary directory has no ACLs")
    assert handed.stat().st_mode & 0o777 == 0o440
    with running_as(PROGRAM, groups=[]):
        FileSigner.load(handed)


@pytest.mark.parametrize(
    ("owner", "group", "mode", "runs_as"),
    [
        (0, 4, 0o440, PROGRAM),  # a group of many, in which the program is too
        (0, PROGRAM, 0o460, PROGRAM),
        (0, PROGRAM, 0o444, PROGRAM),
        (PROGRAM, PROGRAM, 0o440, PROGRAM),  # the owner could as well have said 0400
        (0, 0, 0o440, 0),
    ],
)
def test_a_key_of_a_group_of_many_is_refused(
    handed: Path, owner: int, group: int, mode: int, runs_as: int
) -> None:
    """The group must be the program's own, must only read, and root must have given it."""
    os.chown(handed, owner, group)
    handed.chmod(mode)
    with running_as(runs_as, groups=[4]), pytest.raises(ConfigError, match="read by others"):
        FileSigner.load(handed)


def test_what_is_no_ed25519_key_is_refused(tmp_path: Path) -> None:
    """Nothing there, rubbish, a password, another algorithm, a public key, a directory."""
    path = tmp_path / "key.pem"
    with pytest.raises(ConfigError, match="keys generate"):
        FileSigner.load(path)
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    rubbish = [
        b"",
        b"rubbish",
        Ed25519PrivateKey.generate().private_bytes(
            *pkcs8, serialization.BestAvailableEncryption(b"secret")
        ),
        rsa.generate_private_key(65537, 2048).private_bytes(*pkcs8, serialization.NoEncryption()),
    ]
    for body in rubbish:
        path.write_bytes(body)
        path.chmod(0o600)
        with pytest.raises(ConfigError, match=r"key\.pem is not"):
            FileSigner.load(path)
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises(ConfigError, match="not a regular file"):
        FileSigner.load(path)


def test_neither_half_is_overwritten(tmp_path: Path) -> None:
    """A public file in the way stops `generate` before it writes a private one."""
    (tmp_path / "key.pem.pub").write_text("mine")
    with pytest.raises(ConfigError, match="never overwritten"):
        generate(tmp_path / "key.pem")
    assert not (tmp_path / "key.pem").exists()


def test_an_error_never_shows_the_key(tmp_path: Path) -> None:
    """A private key given where a public one belongs is refused without a byte of it."""
    generate(tmp_path / "key.pem")
    secret = (tmp_path / "key.pem").read_text().splitlines()[1]
    with pytest.raises(ConfigError, match="is a private key") as caught:
        load_keys(str(tmp_path / "key.pem"))
    assert secret not in str(caught.value)
