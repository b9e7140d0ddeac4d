"""Keys: how they are written, and which signatures they accept."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.errors import ConfigError, FormatError
from shipper.seal import note
from shipper.seal.keys import VerifierKey, load_keys, parse_key, signer_of
from shipper.seal.note import Note, Signature
from shipper.seal.signer import FileSigner, generate, public_pem

VECTORS = Path(__file__).parent.parent / "data" / "vectors"
REFUSED = {"low_order_A", "low_order_R", "low_order_residue"}
"""Every CCTV vector has a valid equation up to the cofactor; one of these flags refuses it."""

# The example of https://pkg.go.dev/golang.org/x/mod/sumdb/note, from which C2SP signed-note comes.
EXAMPLE_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
EXAMPLE_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo"
    "tpRZb6KE6RyyBwJnAM=\n"
)


def own(seed: int = 1) -> FileSigner:
    """A key that is the same in every run."""
    return FileSigner(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def cctv() -> list[Any]:
    """The vectors of https://c2sp.org/CCTV/ed25519."""
    with zstandard.open(VECTORS / "ed25519-cctv.json.zst", "rt", encoding="utf-8") as file:
        vectors: list[Any] = json.load(file)
    return vectors


def test_which_signatures_are_accepted() -> None:
    """Cofactorless, with no key and no R of small order: over all 914 CCTV vectors."""
    vectors = cctv()
    assert len(vectors) == 914
    for vector in vectors:
        accepted = VerifierKey(bytes.fromhex(vector["key"])).verify(
            vector["msg"].encode(), bytes.fromhex(vector["sig"])
        )
        flags = set(vector["flags"] or ())
        assert accepted == (not flags & REFUSED), vector


def test_the_accepted_flags_are_pinned() -> None:
    """What is left: signatures by a key or with an R of mixed order, when the equation is exact."""
    accepted = {frozenset(v["flags"] or ()) for v in cctv() if not REFUSED & set(v["flags"] or ())}
    assert accepted == {
        frozenset(),
        frozenset({"low_order_component_A"}),
        frozenset({"low_order_component_A", "low_order_component_R"}),
    }


def test_an_s_beyond_the_group_order_is_refused() -> None:
    """S + L satisfies the equation too, but is another signature: it is refused."""
    signer, text = own(), b"text\n"
    signature = signer.sign(text)
    order = 2**252 + 27742317777372353535851937790883648493
    s = int.from_bytes(signature[32:], "little") + order
    assert signer.key.verify(text, signature)
    assert not signer.key.verify(text, signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 63, 65, 1_000])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    """An Ed25519 signature has 64 bytes."""
    assert not own().key.verify(b"text\n", bytes(size))


def test_a_key_is_read_in_every_form(tmp_path: Path) -> None:
    """Base64, C2SP verifier key, PEM file, text file, and a directory of files give one key."""
    private = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
    key = own().key
    (tmp_path / "a.pem").write_bytes(public_pem(private))
    (tmp_path / "b.txt").write_text(f"{key.base64}\n{own(2).key.vkey('x')}\n")
    assert load_keys(key.base64) == [key]
    assert load_keys(f"  {key.base64}\n") == [key]
    assert load_keys(key.vkey("any.name/at/all")) == [key]
    assert load_keys(str(tmp_path / "a.pem")) == [key]
    assert load_keys(str(tmp_path)) == [key, key, own(2).key]


def test_a_base64_key_with_plus_signs_is_no_verifier_key() -> None:
    """Base64 has `+` in its alphabet; keys with two of them are read for what they are."""
    for number in range(2_000):
        public = number.to_bytes(4, "big") * 8
        assert parse_key(base64.b64encode(public).decode()).public == public


def test_a_note_of_another_implementation_verifies() -> None:
    """Go's own example has the key id and the signature that this code computes."""
    key = parse_key(EXAMPLE_KEY)
    assert key.key_id("PeterNeumann").hex() == "c74f20a3"
    assert key.vkey("PeterNeumann") == EXAMPLE_KEY
    assert signer_of(note.parse(EXAMPLE_NOTE.encode()), "PeterNeumann", [key]) == key


@pytest.mark.parametrize("text", ["", "x", "AAAA", base64.b64encode(bytes(33)).decode(), "a+b+c"])
def test_what_is_no_key_is_an_error(text: str) -> None:
    """One clear line says what a key may be."""
    with pytest.raises(ConfigError, match="public key"):
        load_keys(text)


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path: Path) -> None:
    """Whoever gives the private key is told where the public half lies."""
    generate(tmp_path / "key.pem")
    with pytest.raises(ConfigError, match=r"key\.pem\.pub"):
        load_keys(str(tmp_path / "key.pem"))


def _note(*signatures: Signature) -> Note:
    return note.parse(note.encode(b"text\n", *signatures))


def _signature(seed: int, name: str = "log", text: bytes = b"text\n") -> Signature:
    signer = own(seed)
    return Signature(name, signer.key.key_id(name), signer.sign(text))


def test_the_trusted_signer_is_found_among_strangers() -> None:
    """Signatures by unknown keys, and under other names, are ignored."""
    signed = _note(_signature(3), _signature(1, "other"), _signature(1))
    assert signer_of(signed, "log", [own(1).key, own(2).key]) == own(1).key


@pytest.mark.parametrize(
    "signatures",
    [
        [_signature(3)],
        [_signature(1, "other")],
        [_signature(1, text=b"other\n")],
        [_signature(1), _signature(1, text=b"other\n")],
        [Signature("log", own(1).key.key_id("log"), b"short")],
        [Signature("log", b"\0\0\0\0", own(1).sign(b"text\n"))],
    ],
)
def test_a_note_without_a_good_trusted_signature_is_refused(signatures: list[Signature]) -> None:
    """No trusted signature, or a bad one by a trusted key beside a good one, rejects the note."""
    with pytest.raises(FormatError):
        signer_of(_note(*signatures), "log", [own(1).key])
