"""A small archive made by the real sealer under a fixed clock, and tools to tamper with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import UNSET, UnsetType

from shipper.model import (
    Agent,
    Batch,
    FileHead,
    Finding,
    Kind,
    Manifest,
    Notice,
    Reason,
    Severity,
    SourceSpan,
    Supersedes,
    Timestamp,
)
from shipper.seal import layout, merkle, note
from shipper.seal.checkpoint import Checkpoint, encode_checkpoint
from shipper.seal.manifest import decode_manifest, encode_manifest, text_hash
from shipper.seal.sealer import Content, Head, seal, sign_note
from shipper.seal.signer import FileSigner
from shipper.store.base import Store
from shipper.store.memory import MemoryStore
from shipper.verify.archive import Verified, verify_archive
from shipper.verify.heads import SeenLog
from shipper.verify.report import LogReport, Report
from shipper.verify.request import Request

BEGIN = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
NODE = "audit.example.com/prod/cp-1"
ORIGIN = f"{NODE}/00000000000000aa"
PREFIX = "prod/cp-1/00000000000000aa/"
AGENT = Agent(version="0.1.0", config_sha256="c" * 64)


def signer(seed: int = 1) -> FileSigner:
    """A key that is the same in every run."""
    return FileSigner(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def line(number: int) -> bytes:
    """An audit event of sorts."""
    return b'{"kind":"Event","auditID":"%08d","verb":"get"}\n' % number


def finding(number: int, severity: Severity = "low") -> Finding:
    """What some rule says of a line."""
    return Finding(
        rule="a-rule",
        title="A rule",
        severity=severity,
        message="something",
        audit_id=f"{number:08d}",
        line=number,
        time="",
    )


def changed_finding(of: Finding, **fields: Any) -> Finding:
    """`of` with other values."""
    return msgspec.structs.replace(of, **fields)


class Source:
    """A source file that is being followed."""

    def __init__(self, inode: int = 7, path: str = "/var/log/kubernetes/audit/audit.log") -> None:
        self.inode = inode
        self.path = path
        self.end = 0
        self._hash = hashlib.sha256()

    def take(self, raw: bytes = b"") -> SourceSpan:
        """The range of the next bytes."""
        self._hash.update(raw)
        start, self.end = self.end, self.end + len(raw)
        head = FileHead(size=0, sha256=hashlib.sha256(b"").hexdigest())
        return SourceSpan(
            path=self.path,
            device=1,
            inode=self.inode,
            head=head,
            start=start,
            end=self.end,
            prefix_sha256=self._hash.hexdigest(),
        )


def batch_of(raw: bytes) -> Batch:
    """`raw` as the batch builder hands it over."""
    lines = raw.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return Batch(
        compressed=zstandard.compress(raw, 1),
        raw_size=len(raw),
        leaves=tuple(merkle.leaf_hashes(lines)),
        unterminated=not raw.endswith(b"\n"),
        range=None,
        malformed_lines=0,
    )


class Log:
    """One log on its way into a store."""

    def __init__(
        self,
        store: Store,
        origin: str = ORIGIN,
        *,
        key: FileSigner | None = None,
        begin: datetime = BEGIN,
        boot: str = "boot-1",
        supersedes: Supersedes | UnsetType = UNSET,
        source: Source | None = None,
    ) -> None:
        self.store = store
        self.origin = origin
        self.prefix = layout.log_prefix(origin)
        self.signer = key or signer()
        self.wall = begin
        self.boot = boot
        self.monotonic = 1_000
        self.head = Head(origin)
        self.source = source or Source()
        self.raw = b""
        self.lock_required = True
        self.add("genesis", supersedes=supersedes)

    def add(
        self,
        kind: Kind,
        *,
        batch: Batch | None = None,
        sources: Sequence[SourceSpan] | None = None,
        notice: Notice | None = None,
        findings: Sequence[Finding] = (),
        supersedes: Supersedes | UnsetType = UNSET,
        step: float = 10.0,
        checkpoint: bool = False,
        edit: Callable[[Manifest], Manifest] | None = None,
    ) -> None:
        """Seal one step and ship it; `edit` makes the sealer lie."""
        content = Content(
            kind=kind,
            batch=batch,
            sources=(self.source.take(),) if sources is None else sources,
            notice=notice,
            findings=findings,
            supersedes=supersedes,
        )
        now = Timestamp(self.wall, self.boot, self.monotonic)
        before = self.head
        record, self.head = seal(
            self.head,
            content,
            now=now,
            agent=AGENT,
            signer=self.signer,
            lock_required=self.lock_required,
        )
        if edit is not None:
            lie = edit(decode_manifest(note.parse(record.manifest.body).text))
            self.lie(encode_manifest(lie), before)
            return
        self.wall += timedelta(seconds=step)
        self.monotonic += 10_000_000_000
        shipped = [*record.before, record.manifest, *record.after]
        if checkpoint or not record.seq or record.after:
            shipped.append(record.checkpoint)
        for stored in shipped:
            self.store.put(self.prefix + stored.key, stored.body)

    def lie(self, text: bytes, head: Head | None = None) -> None:
        """Put any `text` at the log's end (behind `head`), properly signed, linked and counted."""
        head = head or self.head
        body = sign_note(self.origin, text, self.signer)
        tree, _ = head.tree.extend([merkle.leaf_hash(text)])
        checkpoint = Checkpoint(self.origin, head.seq + 1, tree.root())
        promise = sign_note(self.origin, encode_checkpoint(checkpoint), self.signer)
        name = layout.manifest(head.seq, hashlib.sha256(body).hexdigest())
        self.store.put(self.prefix + name, body)
        self.store.put(self.prefix + layout.checkpoint(head.seq + 1, tree.root()), promise)
        self.head = Head(self.origin, head.seq + 1, text_hash(text), tree, (*head.bundle, text))
        self.wall += timedelta(seconds=10)
        self.monotonic += 10_000_000_000

    def batch(
        self,
        raw: bytes,
        *,
        batch: Batch | None = None,
        notice: Notice | None = None,
        findings: Sequence[Finding] = (),
        checkpoint: bool = False,
        edit: Callable[[Manifest], Manifest] | None = None,
    ) -> None:
        """Seal the next bytes of the source (as this `batch`)."""
        self.raw += raw
        span = self.source.take(raw)
        batch = batch or batch_of(raw)
        if edit is not None:  # the lie is in the manifest: the data is shipped as it is
            key = layout.events(
                self.head.seq, hashlib.sha256(batch.compressed).hexdigest(), self.wall
            )
            self.store.put(self.prefix + key, batch.compressed)
        self.add(
            "batch",
            batch=batch,
            sources=(span,),
            notice=notice,
            findings=findings,
            checkpoint=checkpoint,
            edit=edit,
        )

    def notice(self, reason: Reason, detail: str = "as a test") -> None:
        """Seal a notice."""
        self.add("notice", notice=Notice(reason=reason, detail=detail))

    def end(self) -> Supersedes:
        """Seal the shutdown; returns what a successor names."""
        self.add("shutdown", checkpoint=True)
        return self.last()

    def last(self) -> Supersedes:
        """The newest manifest."""
        return Supersedes(log=self.origin, seq=self.head.seq - 1, sha256=self.head.prev)


def fill_small(log: Log) -> Log:
    """Eight manifests: three batches, a notice, heartbeats, a shutdown."""
    log.batch(b"".join(line(n) for n in range(5)), findings=[finding(1), finding(4, "high")])
    log.add("heartbeat", checkpoint=True)
    log.batch(b"".join(line(n) for n in range(5, 9)) + b"torn", findings=[finding(0)])
    log.batch(b" line\n" + line(9), notice=Notice(reason="spool-full", detail="for a while"))
    log.notice("config-changed")
    log.add("heartbeat")
    log.end()
    return log


def small() -> Log:
    """The small log in a store in memory."""
    return fill_small(Log(MemoryStore()))


def tall(manifests: int = 600) -> Log:
    """More than two entry bundles, with a few batches among heartbeats."""
    log = Log(MemoryStore())
    while log.head.seq < manifests - 1:
        if log.head.seq % 50 == 3:
            log.batch(line(log.head.seq) * 3)
        else:
            log.add("heartbeat", checkpoint=log.head.seq % 40 == 0)
    log.end()
    return log


def objects(log: Log) -> dict[str, bytes]:
    """The objects of a log in memory; change them at will."""
    assert isinstance(log.store, MemoryStore)
    return log.store.objects


def keys_of(log: Log, kind: str) -> list[str]:
    """The store's keys of one kind of object, in order."""
    return sorted(key for key in objects(log) if key.startswith(log.prefix + kind))


def manifest_at(log: Log, seq: int) -> tuple[str, Manifest]:
    """The key and content of a manifest."""
    (key,) = keys_of(log, f"manifest/{seq:012d}-")
    return key, decode_manifest(note.parse(objects(log)[key]).text)


def reseal(
    log: Log, seq: int, manifest: Manifest, *, key: FileSigner | None = None, keep: bool = False
) -> str:
    """Put `manifest` in the place of number `seq`, properly signed; returns its key."""
    return retext(log, seq, encode_manifest(manifest), key=key, keep=keep)


def retext(
    log: Log, seq: int, text: bytes, *, key: FileSigner | None = None, keep: bool = False
) -> str:
    """Put a note with `text` in the place of manifest `seq`, properly signed and named."""
    body = sign_note(log.origin, text, key or log.signer)
    if not keep:
        del objects(log)[manifest_at(log, seq)[0]]
    name = log.prefix + layout.manifest(seq, hashlib.sha256(body).hexdigest())
    objects(log)[name] = body
    return name


def changed(manifest: Manifest, **fields: Any) -> Manifest:
    """`manifest` with other values."""
    return msgspec.structs.replace(manifest, **fields)


def dump(store: MemoryStore, root: Path) -> Path:
    """The same objects as files below `root`."""
    for key, body in store.objects.items():
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return root


def verify(
    store: Store,
    *,
    seen: dict[str, SeenLog] | None = None,
    keys: Sequence[FileSigner] = (),
    now: datetime = BEGIN + timedelta(hours=2),
    **asked: Any,
) -> Verified:
    """Verify what is in `store`."""
    public = [key.key for key in keys or (signer(),)]
    return verify_archive(lambda: store, public, Request(**asked), now=now, seen=seen)


def report(store: Store, **asked: Any) -> Report:
    """The report alone."""
    return verify(store, **asked).report


def codes(of: Report | LogReport) -> set[str]:
    """The codes of all its problems."""
    if isinstance(of, LogReport):
        return {problem.code for problem in of.problems}
    return {p.code for p in of.problems} | {c for log in of.logs for c in codes(log)}
