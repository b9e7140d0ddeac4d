"""A second writer is told from everything else that may lie where manifests lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.errors import ConflictError
from shipper.model import Agent
from shipper.pipeline.fence import Fence
from shipper.seal import layout
from shipper.seal.sealer import Content, Head, seal
from shipper.seal.signer import FileSigner
from shipper.spool.spool import Spool
from shipper.store.base import Entry
from shipper.store.memory import MemoryStore
from tests.pipeline.test_ship import LOG, SIGNER, Clock, fill

PREFIX = layout.log_prefix(LOG)
OTHER = FileSigner(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Five records: the first three are in the store."""
    spool = Spool(tmp_path)
    fill(spool, 5)
    return spool


@pytest.fixture
def store(spool: Spool) -> MemoryStore:
    store = MemoryStore()
    for seq in range(3):
        manifest = spool.kept(seq).manifest
        store.put(PREFIX + manifest.key, manifest.body)
    return store


def foreign(seq: int, signer: FileSigner = SIGNER, log: str = LOG) -> tuple[str, bytes]:
    """A manifest that the spool does not know: key and body."""
    head = Head(log, seq=seq, prev="1" * 64)
    content = Content(kind="heartbeat") if seq else Content(kind="genesis")
    record, _ = seal(head, content, now=Clock(7).now(), agent=Agent("t", "0" * 64), signer=signer)
    return PREFIX + record.manifest.key, record.manifest.body


def test_ones_own_manifests_are_none(spool: Spool, store: MemoryStore) -> None:
    """What this spool has sealed may be in the store, marked or not."""
    Fence(store, LOG, SIGNER.key, spool).check()
    spool.shipped(2)
    Fence(store, LOG, SIGNER.key, spool).check()


@pytest.mark.parametrize("seq", [2, 3, 4, 5, 6, 900])
def test_another_writer_is_noticed(spool: Spool, store: MemoryStore, seq: int) -> None:
    """A manifest of this log, signed with its key, that was sealed somewhere else."""
    fence = Fence(store, LOG, SIGNER.key, spool)
    fence.check()
    store.put(*foreign(seq))
    with pytest.raises(ConflictError, match=r"another daemon.*new instance"):
        fence.check()
    with pytest.raises(ConflictError):
        fence.check()


@pytest.mark.parametrize(
    ("key", "body"),
    [
        foreign(6, OTHER),
        foreign(6, log="audit-shipper/c/n/fedcba9876543210"),
        (f"{PREFIX}manifest/000000000006-0123456789abcdef.note", foreign(1)[1]),
        (f"{PREFIX}manifest/000000000006-0123456789abcdef.note", b"\xff" * 99),
        (f"{PREFIX}manifest/000000000006-0123456789abcdef.note", b"x" * 10_000_000),
        (f"{PREFIX}manifest/zzz", b""),
    ],
    ids=["other-key", "other-log", "renamed", "garbage", "huge", "no-manifest"],
)
def test_junk_stops_nobody(spool: Spool, store: MemoryStore, key: str, body: bytes) -> None:
    """What our key has not signed as this log's number is no daemon: `verify` reports it."""
    store.put(key, body)
    Fence(store, LOG, SIGNER.key, spool).check()


def test_looking_again_costs_little(spool: Spool, store: MemoryStore) -> None:
    """Each look begins at the newest manifest that was found to be ours."""

    class Listing(MemoryStore):
        def scan(self, prefix: str, *, after: str = "") -> Iterator[Entry]:
            for entry in super().scan(prefix, after=after):
                listed.append(entry.key)
                yield entry

    listed: list[str] = []
    counting = Listing()
    counting.objects = store.objects
    fence = Fence(counting, LOG, SIGNER.key, spool)
    fence.check()
    for seq in (3, 4):
        manifest = spool.kept(seq).manifest
        counting.put(PREFIX + manifest.key, manifest.body)
        fence.shipped(seq, manifest.key)
    fence.check()
    listed.clear()
    fence.check()
    assert len(listed) <= 1
