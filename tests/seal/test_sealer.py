"""Sealing: pure, linked, and complete in what it hands on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.errors import FormatError
from shipper.model import Agent, Batch, Notice, Record, Timestamp
from shipper.seal import merkle, note
from shipper.seal.checkpoint import decode_checkpoint
from shipper.seal.keys import signer_of
from shipper.seal.manifest import FIRST_PREV, decode_manifest, text_hash
from shipper.seal.merkle import leaf_hashes
from shipper.seal.sealer import Content, Head, seal
from shipper.seal.signer import FileSigner

SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))
AGENT = Agent(version="test", config_sha256="0" * 64)
LOG = "audit-shipper/c/n/0123456789abcdef"


def now(seconds: int) -> Timestamp:
    wall = datetime(2026, 1, 2, 3, 59, 58, tzinfo=UTC) + timedelta(seconds=seconds)
    return Timestamp(wall=wall, boot_id="boot", monotonic_ns=seconds * 10**9)


def batch(lines: list[bytes]) -> Batch:
    raw = b"\n".join(lines) + b"\n"
    return Batch(
        compressed=raw,
        raw_size=len(raw),
        leaves=tuple(leaf_hashes(lines)),
        unterminated=False,
        range=None,
        malformed_lines=len(lines),
    )


def chain(length: int) -> tuple[list[Record], Head]:
    records, head = [], Head(LOG)
    for number in range(length):
        content = Content(kind="genesis" if number == 0 else "heartbeat")
        record, head = seal(head, content, now=now(number), agent=AGENT, signer=SIGNER)
        records.append(record)
    return records, head


def test_the_same_call_gives_the_same_bytes() -> None:
    """Nothing is kept between calls: a seal that was not committed is repeated exactly."""
    content = Content(kind="batch", batch=batch([b"one"]))
    first = seal(Head(LOG), content, now=now(0), agent=AGENT, signer=SIGNER)
    assert seal(Head(LOG), content, now=now(0), agent=AGENT, signer=SIGNER) == first


def test_manifests_are_linked_and_signed() -> None:
    """Each `prev` is the hash of the text before it, and every note bears the log's key."""
    records, head = chain(5)
    prev = FIRST_PREV
    for number, record in enumerate(records):
        parsed = note.parse(record.manifest.body)
        assert signer_of(parsed, LOG, [SIGNER.key]) == SIGNER.key
        manifest = decode_manifest(parsed.text)
        assert (manifest.seq, manifest.prev, manifest.log) == (number, prev, LOG)
        assert sha256(record.manifest.body).hexdigest()[:16] in record.manifest.key
        prev = text_hash(parsed.text)
    assert head.prev == prev


def test_a_checkpoint_covers_all_texts() -> None:
    """Size and root are those of the RFC 6962 tree over the note texts."""
    records, _ = chain(7)
    texts = [note.parse(record.manifest.body).text for record in records]
    for size, record in enumerate(records, start=1):
        checkpoint = decode_checkpoint(note.parse(record.checkpoint.body).text)
        assert checkpoint == (LOG, size, merkle.root(leaf_hashes(texts[:size])))


def test_events_lie_where_the_manifest_says() -> None:
    """Key, size and hash of the stored object are in the manifest; the hour is the seal's."""
    content = Content(kind="batch", batch=batch([b"one", b"two"]))
    head = Head(LOG, seq=1)
    record, _ = seal(head, content, now=now(3), agent=AGENT, signer=SIGNER)
    (events,) = record.before
    data = decode_manifest(note.parse(record.manifest.body).text).data
    assert data is not None
    assert (data.key, data.size) == (events.key, len(events.body))
    assert data.sha256 == sha256(events.body).hexdigest()
    assert data.events_root == merkle.root(leaf_hashes([b"one", b"two"])).hex()
    assert events.key.startswith("events/date=2026-01-02/hour=04/000000000001-")


def test_a_full_bundle_comes_with_its_record() -> None:
    """Record 255 brings bundle and tile; until then a restart keeps every manifest since."""
    records, head = chain(257)
    assert [stored.key for stored in records[255].after] == ["tile/entries/000", "tile/0/000"]
    texts = [note.parse(record.manifest.body).text for record in records[:256]]
    assert merkle.decode_bundle(records[255].after[0].body) == texts
    assert records[255].after[1].body == b"".join(leaf_hashes(texts))
    assert all(not record.after for record in records[:255])
    assert [records[n].keep_from for n in (0, 254, 255, 256)] == [0, 0, 255, 256]
    assert head.bundle == (note.parse(records[256].manifest.body).text,)


def test_only_a_genesis_brings_the_identity() -> None:
    """`log.note` goes out once, before everything else."""
    records, _ = chain(2)
    assert [stored.key for stored in records[0].before] == ["log.note"]
    assert records[1].before == ()


def test_a_manifest_that_would_not_fit_a_bundle_is_refused() -> None:
    """64 KiB is the format's limit, and it is kept at the seal."""
    huge = Notice(reason="gap", detail="\u0001" * 20_000)
    content = Content(kind="notice", notice=huge)
    with pytest.raises(FormatError, match="65,535"):
        seal(Head(LOG, seq=1), content, now=now(0), agent=AGENT, signer=SIGNER)
