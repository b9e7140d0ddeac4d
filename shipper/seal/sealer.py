"""Seal one step of a log: `seal(head, content, ...) -> (record, next head)`. Pure; keeps no state.

Clock, randomness and key come in as arguments. The caller moves to the next head only once the
spool has returned; until then the same call gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from msgspec import UNSET, UnsetType

from shipper.model import (
    Agent,
    Batch,
    Counted,
    Data,
    Finding,
    Kind,
    Manifest,
    Notice,
    Record,
    SourceSpan,
    StoredObject,
    Supersedes,
    Timestamp,
)
from shipper.seal import layout, note
from shipper.seal.checkpoint import Checkpoint, encode_checkpoint
from shipper.seal.findings import encode_findings
from shipper.seal.manifest import (
    FIRST_PREV,
    Identity,
    encode_identity,
    encode_manifest,
    text_hash,
)
from shipper.seal.merkle import TILE_WIDTH, Tree, encode_bundle, leaf_hash, root, tile_path
from shipper.seal.signer import Signer


class Head(msgspec.Struct, frozen=True):
    """Where a log stands: the next sequence number, the last text's hash, the tree's right edge.

    `bundle` holds the manifest texts of the entry bundle that is not full yet (fewer than 256).
    """

    log: str
    seq: int = 0
    prev: str = FIRST_PREV
    tree: Tree = Tree()
    bundle: tuple[bytes, ...] = ()


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sealed."""

    kind: Kind
    sources: Sequence[SourceSpan] = ()
    batch: Batch | None = None
    findings: Sequence[Finding] = ()
    notice: Notice | None = None
    supersedes: Supersedes | UnsetType = UNSET
    apiserver: Counted | UnsetType = UNSET


def seal(
    head: Head,
    content: Content,
    *,
    now: Timestamp,
    agent: Agent,
    signer: Signer,
    lock_required: bool = True,
) -> tuple[Record, Head]:
    """The record for `content`, and the head after it.

    `lock_required` False says for good that the store may be one without Object Lock.
    """
    before: list[StoredObject] = []
    if head.seq == 0:
        before.append(_identity(head.log, now, agent, signer))
    data = findings = None
    if content.batch is not None:
        events, data = _events(head.seq, content.batch, now)
        before.append(events)
    if content.findings:
        stored, findings = encode_findings(head.seq, content.findings, now.wall)
        before.append(stored)
    batch = content.batch
    text = encode_manifest(
        Manifest(
            log=head.log,
            seq=head.seq,
            prev=head.prev,
            kind=content.kind,
            notice=content.notice,
            time=now,
            data=data,
            range=batch.range if batch else None,
            sources=tuple(content.sources),
            malformed_lines=batch.malformed_lines if batch else 0,
            findings=findings,
            agent=agent,
            supersedes=content.supersedes,
            lock_required=UNSET if lock_required else False,
            apiserver=content.apiserver,
        )
    )
    tree, tiles = head.tree.extend([leaf_hash(text)])
    entries = (*head.bundle, text)
    after = [StoredObject(tile_path(tile.level, tile.number), tile.body) for tile in tiles]
    if len(entries) == TILE_WIDTH:
        path = tile_path("entries", head.seq // TILE_WIDTH)
        after.insert(0, StoredObject(path, encode_bundle(entries)))
        entries = ()
    body = sign_note(head.log, text, signer)
    next_head = Head(head.log, head.seq + 1, text_hash(text), tree, entries)
    record = Record(
        seq=head.seq,
        keep_from=min(head.seq, next_head.seq - len(entries)),
        before=tuple(before),
        manifest=StoredObject(layout.manifest(head.seq, sha256(body).hexdigest()), body),
        after=tuple(after),
        checkpoint=_checkpoint(next_head, signer),
        tree=tree.levels,
    )
    return record, next_head


def sign_note(name: str, text: bytes, signer: Signer) -> bytes:
    """The note's bytes, signed under `name`."""
    return note.encode(text, note.Signature(name, signer.key.key_id(name), signer.sign(text)))


def _identity(log: str, now: Timestamp, agent: Agent, signer: Signer) -> StoredObject:
    identity = Identity(agent=agent.version, created=now.wall, log=log, vkey=signer.key.vkey(log))
    return StoredObject(layout.IDENTITY, sign_note(log, encode_identity(identity), signer))


def _events(seq: int, batch: Batch, now: Timestamp) -> tuple[StoredObject, Data]:
    digest = sha256(batch.compressed).hexdigest()
    data = Data(
        key=layout.events(seq, digest, now.wall),
        size=len(batch.compressed),
        sha256=digest,
        raw_size=batch.raw_size,
        lines=len(batch.leaves),
        events_root=root(batch.leaves).hex(),
        unterminated=batch.unterminated,
    )
    return StoredObject(data.key, batch.compressed, digest), data


def _checkpoint(head: Head, signer: Signer) -> StoredObject:
    tree_root = head.tree.root()
    text = encode_checkpoint(Checkpoint(head.log, head.seq, tree_root))
    return StoredObject(layout.checkpoint(head.seq, tree_root), sign_note(head.log, text, signer))
