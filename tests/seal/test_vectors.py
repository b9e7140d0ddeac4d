"""The golden vectors: what `seal()` gives is what `docs/format.md` says and `tests/vectors/` holds.

All tests of the vectors but the first compute with hashlib and the standards alone, so that the
vectors do not merely agree with the code that made them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.model import Kind, Manifest, Reason
from shipper.seal import note
from shipper.seal.checkpoint import decode_checkpoint
from shipper.seal.keys import VerifierKey, load_keys, parse_key, signer_of
from shipper.seal.manifest import (
    Identity,
    decode_identity,
    decode_manifest,
    encode_identity,
    encode_manifest,
)
from shipper.seal.merkle import decode_bundle
from tests.vectors.generate import VECTORS, build

VALUES: dict[str, Any] = json.loads((VECTORS / "vectors.json").read_bytes())
LOGS: list[dict[str, Any]] = VALUES["logs"]
KEY = VerifierKey(bytes.fromhex(VALUES["public_key"]))
NOT_GENERATED = {"README.md", ".gitattributes"}

each_log = pytest.mark.parametrize("log", LOGS, ids=["old", "new"])


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH over leaf hashes, written as RFC 6962 section 2.1 writes it."""
    if not leaves:
        return sha256()
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01", tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def canonical(text: bytes) -> bytes:
    """The second line of a text, made canonical by Python's own JSON."""
    value = json.loads(text.split(b"\n")[1])
    encoded = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return encoded.encode()


def texts(log: dict[str, Any]) -> list[bytes]:
    found = sorted((VECTORS / log["prefix"] / "manifest").iterdir())
    return [file.read_bytes().rpartition(b"\n\n")[0] + b"\n" for file in found]


def notes(log: dict[str, Any]) -> Iterator[Path]:
    yield from (VECTORS / log["prefix"]).rglob("*.note")


def stored(log: dict[str, Any], key: str) -> bytes:
    return Path(VECTORS, log["prefix"], key).read_bytes()


def lines_of(raw: bytes) -> list[bytes]:
    lines = raw.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def test_seal_gives_exactly_the_published_bytes() -> None:
    """The same content, clock and key give every object of the vectors, and no other."""
    found = {
        path.relative_to(VECTORS).as_posix(): path.read_bytes()
        for path in VECTORS.rglob("*")
        if path.is_file() and path.name not in NOT_GENERATED and path.parent.name != "source"
    }
    made = build()
    assert made.keys() == found.keys()
    assert [name for name in made if made[name] != found[name]] == []


def test_the_key_is_the_seed_in_the_readme() -> None:
    """The published seed gives the published public key, in each of its forms."""
    assert VALUES["seed"] in (VECTORS / "README.md").read_text()
    assert "TEST key" in (VECTORS / "README.md").read_text()
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VALUES["seed"]))
    assert private.public_key().public_bytes_raw() == KEY.public
    assert load_keys(str(VECTORS / "public.pem")) == [KEY]
    assert load_keys(VALUES["public_key_base64"]) == [KEY]
    assert load_keys(LOGS[0]["vkey"]) == [KEY]


@each_log
def test_key_id_and_verifier_key_are_those_of_signed_note(log: dict[str, Any]) -> None:
    """SHA-256(name, newline, 0x01, public key) gives the key id, and the vkey carries it."""
    key_id = sha256(log["origin"].encode(), b"\n\x01", KEY.public)[:4].hex()
    assert log["key_id"] == key_id
    encoded = base64.b64encode(b"\x01" + KEY.public).decode()
    assert log["vkey"] == f"{log['origin']}+{key_id}+{encoded}"


def test_the_example_of_signed_note_verifies() -> None:
    """The key and the note that c2sp.org/signed-note prints are read as it says."""
    vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    signature = (
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Zt"
        "g1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    )
    body = f"This is an example message.\n\n\u2014 example.com/foo {signature}\n".encode()
    key = parse_key(vkey)
    assert key.vkey("example.com/foo") == vkey
    assert signer_of(note.parse(body), "example.com/foo", [key]) == key


@each_log
def test_every_note_parses_and_verifies(log: dict[str, Any]) -> None:
    """Each note has one signature under the log's origin, by the published key."""
    count = 0
    for path in notes(log):
        parsed = note.parse(path.read_bytes())
        assert signer_of(parsed, log["origin"], [KEY]) == KEY
        assert len(parsed.signatures) == 1
        count += 1
    assert count > len(log["records"])


@each_log
def test_texts_are_canonical_json(log: dict[str, Any]) -> None:
    """The texts are what Python's json module writes with sorted keys, compact and raw UTF-8."""
    identity = note.parse(stored(log, "log.note")).text
    assert encode_identity(decode_identity(identity)) == identity
    for text in (identity, *texts(log)):
        assert canonical(text) == text.split(b"\n")[1]
        assert text.count(b"\n") == 2
    assert all(encode_manifest(decode_manifest(text)) == text for text in texts(log))


@each_log
def test_the_identity_names_the_log_and_its_key(log: dict[str, Any]) -> None:
    """`log.note` carries origin, verifier key, time and version of the genesis."""
    identity = decode_identity(note.parse(stored(log, "log.note")).text)
    genesis = decode_manifest(texts(log)[0])
    assert (identity.log, identity.vkey) == (log["origin"], log["vkey"])
    assert (identity.created, identity.agent) == (genesis.time.wall, genesis.agent.version)


@each_log
def test_hashes_and_links_are_those_in_the_list(log: dict[str, Any]) -> None:
    """Text hash, leaf hash, object name, link and tree root of each record can be recomputed."""
    leaves: list[bytes] = []
    prev = "0" * 64
    for seq, (text, record) in enumerate(zip(texts(log), log["records"], strict=True)):
        assert record.get("text", text.decode()) == text.decode()
        assert record["text_sha256"] == sha256(text).hex()
        body = stored(log, record["manifest"])
        assert record["manifest"] == f"manifest/{seq:012d}-{sha256(body).hex()[:16]}.note"
        manifest = decode_manifest(text)
        assert (manifest.log, manifest.seq, manifest.prev) == (log["origin"], seq, prev)
        leaves.append(sha256(b"\x00", text))
        assert record["leaf_hash"] == leaves[-1].hex()
        assert record["tree_root"] == tree_hash(leaves).hex()
        prev = record["text_sha256"]


@each_log
def test_signatures_are_those_in_the_list(log: dict[str, Any]) -> None:
    """The signatures in the list are plain Ed25519 over the texts."""
    for text, record in zip(texts(log), log["records"], strict=True):
        signature = bytes.fromhex(record["signature"])
        assert KEY.verify(text, signature)
        line = f"\u2014 {log['origin']} ".encode() + base64.b64encode(
            bytes.fromhex(log["key_id"]) + signature
        )
        assert stored(log, record["manifest"]) == text + b"\n" + line + b"\n"
        if "checkpoint_text" in record:
            checkpoint = record["checkpoint_text"].encode()
            assert KEY.verify(checkpoint, bytes.fromhex(record["checkpoint_signature"]))


@each_log
def test_checkpoints_are_tree_roots(log: dict[str, Any]) -> None:
    """Each stored checkpoint is origin, size and root of so many records, under their name."""
    roots = [bytes.fromhex(record["tree_root"]) for record in log["records"]]
    for path in (VECTORS / log["prefix"] / "checkpoint").iterdir():
        text = note.parse(path.read_bytes()).text
        size = int(path.name[:12])
        root = roots[size - 1]
        encoded = base64.b64encode(root).decode()
        assert text.decode() == f"{log['origin']}\n{size}\n{encoded}\n"
        assert path.name == f"{size:012d}-{root.hex()[:16]}.note"
        assert decode_checkpoint(text) == (log["origin"], size, root)


def test_the_full_tile_and_the_full_bundle_hold_the_first_256_records() -> None:
    """Tile 0/000 is their leaf hashes, and the bundle their texts behind 16-bit lengths."""
    log = LOGS[0]
    first = texts(log)[:256]
    assert stored(log, "tile/0/000") == b"".join(sha256(b"\x00", text) for text in first)
    bundle = b"".join(len(text).to_bytes(2, "big") + text for text in first)
    assert stored(log, "tile/entries/000") == bundle
    assert decode_bundle(bundle) == first


@each_log
def test_events_are_the_bytes_that_their_manifest_seals(log: dict[str, Any]) -> None:
    """Sizes, hashes, line count, tree root and the missing newline of each events object hold."""
    for text, record in zip(texts(log), log["records"], strict=True):
        manifest = decode_manifest(text)
        if manifest.data is None:
            assert all(span.start == span.end for span in manifest.sources)
            continue
        data, body = manifest.data, stored(log, manifest.data.key)
        wall = manifest.time.wall
        assert data.key == (
            f"events/date={wall:%Y-%m-%d}/hour={wall:%H}/"
            f"{manifest.seq:012d}-{data.sha256[:16]}.ndjson.zst"
        )
        assert (data.size, data.sha256) == (len(body), sha256(body).hex())
        raw = decompress(body)
        lines = lines_of(raw)
        assert (data.raw_size, data.lines) == (len(raw), len(lines))
        assert data.raw_size == sum(span.end - span.start for span in manifest.sources)
        assert data.unterminated is not raw.endswith(b"\n")
        leaves = [sha256(b"\x00", line) for line in lines]
        assert record["line_leaf_hashes"] == [leaf.hex() for leaf in leaves]
        assert data.events_root == tree_hash(leaves).hex()


def decompress(body: bytes) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
        return bytes(reader.read(1 << 20))


def test_all_batches_give_back_the_source_files() -> None:
    """The batches of each file, put together, are the file, and each prefix hash is its hash."""
    files = [path.read_bytes() for path in sorted((VECTORS / "source").iterdir())]
    found: list[bytes] = []
    end = 0
    for log in LOGS:
        for text in texts(log):
            manifest = decode_manifest(text)
            raw = decompress(stored(log, manifest.data.key)) if manifest.data else b""
            for span in manifest.sources:
                if span.start == 0 and (not found or found[-1]):
                    found.append(b"")
                elif span.start < end:  # the power loss, which took the end of 4.log
                    found.append(found[-1][: span.start])
                found[-1] += raw[: span.end - span.start]
                raw = raw[span.end - span.start :]
                end = span.end
                assert span.prefix_sha256 == sha256(found[-1]).hex()
                assert span.head.sha256 == sha256(found[-1][:1024]).hex()
    assert found == files


def test_the_new_log_supersedes_the_last_record_of_the_old_one() -> None:
    """`supersedes` names log, number and text hash of the old head, and the positions go on."""
    old, new = (decode_manifest(text) for text in (texts(LOGS[0])[-1], texts(LOGS[1])[0]))
    assert new.supersedes
    named = new.supersedes
    assert (named.log, named.seq) == (LOGS[0]["origin"], old.seq)
    assert named.sha256 == LOGS[0]["records"][-1]["text_sha256"]
    assert [span.end for span in new.sources] == [span.end for span in old.sources[-1:]]


def test_vectors_cover_the_kinds_and_the_edges() -> None:
    """Every kind in use, a torn line, a batch without events and one across two files are there."""
    manifests = [decode_manifest(text) for log in LOGS for text in texts(log)]
    kinds = {manifest.kind for manifest in manifests}
    assert kinds == {"genesis", "batch", "heartbeat", "notice", "shutdown"}
    data = [manifest.data for manifest in manifests if manifest.data]
    assert any(one.unterminated for one in data)
    assert any(manifest.data and manifest.range is None for manifest in manifests)
    assert any(len(manifest.sources) == 2 for manifest in manifests)
    assert any(span.inode > 2**53 for manifest in manifests for span in manifest.sources)


# ---- the specification


PAGE = (VECTORS.parents[2] / "docs" / "format.md").read_text()


def test_the_worked_example_is_from_the_vectors() -> None:
    """Each value of the example in `docs/format.md` is that of the first log's second manifest."""
    example = PAGE.partition("## 16. ")[2].partition("## 17. ")[0]
    log = LOGS[0]
    first, second = log["records"][:2]
    shown = [
        *(VALUES["public_key"], log["origin"], log["key_id"], log["vkey"]),
        *(first["text_sha256"], first["leaf_hash"]),
        *(second["text_sha256"], second["leaf_hash"], second["tree_root"]),
        *(second["checkpoint_text"], second["manifest"], *second["line_leaf_hashes"]),
        json.loads(second["text"].split("\n")[1])["data"]["events_root"],
        stored(log, second["manifest"]).decode(),
    ]
    assert [value for value in shown if value not in example] == []


def test_the_page_names_every_field() -> None:
    """Every field of a manifest and of `log.note` has its row in `docs/format.md`, and no other."""
    table = PAGE.partition("### 6.2 ")[2].partition("### 6.3 ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_.0-9\[\]]+)`", row)}
    assert named == set(fields(Manifest))
    identity = PAGE.partition("## 5. ")[2].partition("## 6. ")[0]
    assert set(re.findall(r"^\| `(\w+)`", identity, re.MULTILINE)) == set(fields(Identity))


def fields(struct: type) -> Iterator[str]:
    """The paths of all fields, `[]` behind an array."""
    for name, kind in get_type_hints(struct).items():
        nested = [part for part in (kind, *get_args(kind)) if isinstance(part, type)]
        array = "[]" if get_origin(kind) is tuple else ""
        yield name
        for part in nested:
            if issubclass(part, msgspec.Struct):
                yield from (f"{name}{array}.{below}" for below in fields(part))


def test_the_page_names_every_kind_and_reason() -> None:
    """The tables of kinds and notices have all that the model knows, and no other."""
    for section, known in (("### 6.3 ", get_args(Kind)), ("### 6.4 ", get_args(Reason))):
        table = PAGE.partition(section)[2].partition("##")[0]
        assert sorted(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == sorted(known)
