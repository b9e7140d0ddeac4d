"""The golden vectors of record format 1: two small logs with a fixed key and a fixed clock.

`python -m tests.vectors.generate` writes them anew. The compressed bytes that lie in the store
already are taken as they are, since zstd's output differs between its versions; everything else
is made by `seal()`. A vector that has been published never changes: a difference is a bug, or
another version of the format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import UNSET, UnsetType

from shipper.model import (
    HEAD_BYTES,
    Agent,
    Batch,
    EventRange,
    FileHead,
    Kind,
    Notice,
    Reason,
    Record,
    SourceSpan,
    StoredObject,
    Supersedes,
    Timestamp,
)
from shipper.seal import layout, merkle, note
from shipper.seal.sealer import Content, Head, seal
from shipper.seal.signer import FileSigner, public_pem

VECTORS = Path(__file__).parent / "v1"
SEED = hashlib.sha256(b"audit-shipper test vectors, never a real key").digest()
OLD_LOG = layout.origin("audit.example.com", "prod-eu-1", "cp-1", "3fa1c05e9b7d2846")
NEW_LOG = layout.origin("audit.example.com", "prod-eu-1", "cp-1", "b40e6d1f2c8a9375")
CHECKPOINT_EVERY_NS = 3600 * 10**9

_PATH = "/var/log/kubernetes/audit/audit.log"
_ROTATED = "/var/log/kubernetes/audit/audit-2026-11-23T15-11-32.194.log"
_ROTATED_NEXT = "/var/log/kubernetes/audit/audit-2026-11-23T15-12-05.001.log"
_FIRST_BOOT = "11111111-1111-4111-8111-111111111111"
_SECOND_BOOT = "22222222-2222-4222-8222-222222222222"
_LEVEL = 1


class SimulatedClock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 11, 23, 15, 7, 39, tzinfo=UTC)
        self.boot_id = _FIRST_BOOT
        self.monotonic_ns = 720_000_123_456_789

    def wait(self, seconds: float, *, step: float = 0) -> None:
        """Let `seconds` go by; the wall clock moves by `step` more."""
        self.wall += timedelta(seconds=seconds + step)
        self.monotonic_ns += round(seconds * 1e9)

    def reboot(self) -> None:
        """A new boot: another id, and the monotonic clock begins again."""
        self.boot_id, self.monotonic_ns = _SECOND_BOOT, 21_000_000_007

    def now(self) -> Timestamp:
        return Timestamp(self.wall, self.boot_id, self.monotonic_ns)


class SimulatedFile:
    """A source file of which the reader has seen the first `end` bytes."""

    def __init__(self, name: str, *, inode: int, path: str = _PATH) -> None:
        self.content = (VECTORS / "source" / name).read_bytes()
        self.path = path
        self.inode = inode
        self.end = 0

    def take(self, size: int) -> tuple[bytes, SourceSpan]:
        """The next `size` bytes, and their span."""
        start = self.end
        self.end += size
        return self.content[start : self.end], self.span(start)

    def lines(self, count: int) -> int:
        """The size of the next `count` lines."""
        return len(b"".join(self.content[self.end :].splitlines(keepends=True)[:count]))

    def span(self, start: int) -> SourceSpan:
        """`[start, end)`; `start` = `end` is the position alone."""
        seen = self.content[: self.end]
        head = seen[:HEAD_BYTES]
        return SourceSpan(
            path=self.path,
            device=0xFD01,
            inode=self.inode,
            head=FileHead(len(head), hashlib.sha256(head).hexdigest()),
            start=start,
            end=self.end,
            prefix_sha256=hashlib.sha256(seen).hexdigest(),
        )

    def position(self) -> SourceSpan:
        return self.span(self.end)


class LogWriter:
    """One log: seals, and puts what the ship loop would have put into the store."""

    def __init__(self, origin: str, clock: SimulatedClock) -> None:
        self.signer = FileSigner(Ed25519PrivateKey.from_private_bytes(SEED))
        self.agent = Agent("1.0.0", hashlib.sha256(b"first configuration").hexdigest())
        self.clock = clock
        self.head = Head(origin)
        self.prefix = "store/" + layout.log_prefix(origin)
        self.files: dict[str, bytes] = {}
        self.records: list[dict[str, Any]] = []
        self._checkpoint_ns: int | None = None

    def seal(
        self,
        kind: Kind,
        sources: Sequence[SourceSpan],
        *,
        reason: Reason | None = None,
        detail: str = "",
        batch: Batch | None = None,
        supersedes: Supersedes | UnsetType = UNSET,
    ) -> None:
        content = Content(
            kind=kind,
            sources=sources,
            batch=batch,
            notice=Notice(reason, detail) if reason else None,
            supersedes=supersedes,
        )
        now = self.clock.now()
        record, self.head = seal(self.head, content, now=now, agent=self.agent, signer=self.signer)
        for stored in (*record.before, record.manifest, *record.after):
            self._put(stored)
        if kind == "shutdown" or record.after or self._checkpoint_due(now.monotonic_ns):
            self._put(record.checkpoint)
            self._checkpoint_ns = now.monotonic_ns
        self.records.append(self._values(record, batch))

    def batch(self, *pieces: tuple[SimulatedFile, int], frames: int = 1) -> None:
        """Seal the next bytes of these files; the last one is the file being followed."""
        taken = [file.take(size) for file, size in pieces]
        raw = b"".join(data for data, _ in taken)
        lines = raw.split(b"\n")
        if not lines[-1]:
            lines.pop()
        range_, malformed = _scan(lines)
        self.seal(
            "batch",
            [span for _, span in taken],
            batch=Batch(
                compressed=self._stored() or _compress(raw, frames),
                raw_size=len(raw),
                leaves=tuple(merkle.leaf_hashes(lines)),
                unterminated=not raw.endswith(b"\n"),
                range=range_,
                malformed_lines=malformed,
            ),
        )

    def heartbeats(self, count: int, file: SimulatedFile) -> None:
        for _ in range(count):
            self.clock.wait(60)
            self.seal("heartbeat", [file.position()])

    def restart(self) -> None:
        """Another version and configuration of the program, which ships a checkpoint at once."""
        self.agent = Agent("1.0.1", hashlib.sha256(b"second configuration").hexdigest())
        self._checkpoint_ns = None

    def values(self) -> dict[str, Any]:
        """The log as it stands in `vectors.json`."""
        key = self.signer.key
        return {
            "origin": self.head.log,
            "prefix": self.prefix,
            "key_id": key.key_id(self.head.log).hex(),
            "vkey": key.vkey(self.head.log),
            "objects": {name: _hex(body) for name, body in sorted(self.files.items())},
            "records": self.records,
        }

    def _checkpoint_due(self, now_ns: int) -> bool:
        shipped = self._checkpoint_ns
        return shipped is None or now_ns - shipped >= CHECKPOINT_EVERY_NS

    def _put(self, stored: StoredObject) -> None:
        self.files[self.prefix + stored.key] = stored.body

    def _stored(self) -> bytes | None:
        found = [*(VECTORS / self.prefix).glob(f"events/*/*/{self.head.seq:012d}-*")]
        return found[0].read_bytes() if found else None

    def _values(self, record: Record, batch: Batch | None) -> dict[str, Any]:
        manifest = note.parse(record.manifest.body)
        checkpoint = note.parse(record.checkpoint.body)
        values: dict[str, Any] = {
            "seq": record.seq,
            "manifest": record.manifest.key,
            "text_sha256": _hex(manifest.text),
            "leaf_hash": merkle.leaf_hash(manifest.text).hex(),
            "signature": manifest.signatures[0].signature.hex(),
            "tree_root": self.head.tree.root().hex(),
        }
        if b'"kind":"heartbeat"' not in manifest.text:  # there are 250 of them
            values["text"] = manifest.text.decode()
            values["checkpoint_text"] = checkpoint.text.decode()
            values["checkpoint_signature"] = checkpoint.signatures[0].signature.hex()
        if batch is not None:
            values["line_leaf_hashes"] = [leaf.hex() for leaf in batch.leaves]
        return values


def build() -> dict[str, bytes]:
    """Every file of the vectors but the sources and the README, by its path below `v1/`."""
    clock = SimulatedClock()
    old, followed = _old_log(clock)
    new = _new_log(clock, old, followed)
    key = old.signer.key
    values = {
        "seed": SEED.hex(),
        "public_key": key.public.hex(),
        "public_key_base64": key.base64,
        "logs": [old.values(), new.values()],
    }
    return {
        "public.pem": public_pem(Ed25519PrivateKey.from_private_bytes(SEED)),
        "vectors.json": json.dumps(values, indent=1, ensure_ascii=False).encode() + b"\n",
        **old.files,
        **new.files,
    }


def _old_log(clock: SimulatedClock) -> tuple[LogWriter, SimulatedFile]:
    """260 records, every kind that is in use; the node is lost before it could seal a shutdown."""
    log = LogWriter(OLD_LOG, clock)
    first = SimulatedFile("1.log", inode=1_572_866)
    log.seal("genesis", [first.position()])
    clock.wait(10.25)
    log.batch((first, first.lines(2)))
    log.heartbeats(1, first)
    clock.wait(12.000001)
    log.batch((first, 200))  # a torn line: unterminated
    clock.wait(10)
    log.batch((first, first.lines(4)), frames=2)  # its rest, and nothing that is an event
    clock.wait(31.5)
    # Every character that canonical JSON treats in a way of its own, and some that it does not.
    log.seal(
        "notice",
        [first.position()],
        reason="spool-full",
        detail='the spool was full; "\\/\b\t\n\f\r\x00\x1f\x7f<>&ü\u2028😀"; reading goes on',
    )
    clock.wait(10)
    first.path = _ROTATED
    second = SimulatedFile("2.log", inode=2**53 + 1)
    log.batch((first, first.lines(2)), (second, second.lines(2)))
    clock.wait(5)
    log.seal("shutdown", [second.position()])
    clock.wait(95)
    clock.reboot()
    log.restart()
    log.seal(
        "notice",
        [second.position()],
        reason="config-changed",
        detail="configuration replaced",
    )
    clock.wait(10)
    second.path = _ROTATED_NEXT
    third = SimulatedFile("3.log", inode=1_572_866)
    log.batch((second, second.lines(1)), (third, 0))  # followed already, nothing read of it
    clock.wait(10)
    log.batch((third, third.lines(2)))
    fourth = SimulatedFile("4.log", inode=third.inode)
    log.seal(
        "notice",
        [fourth.position()],
        reason="source-truncated",
        detail=f"{_PATH} was emptied; reading begins anew",
    )
    clock.wait(10)
    log.batch((fourth, fourth.lines(2)))
    fifth = SimulatedFile("5.log", inode=fourth.inode)
    fifth.end = fifth.lines(1)
    clock.wait(10)
    log.seal(
        "notice",
        [fifth.position()],
        reason="source-truncated",
        detail=f"{_PATH} lost what was written last; reading goes on at byte {fifth.end}",
    )
    clock.wait(1, step=-7200)
    log.seal(
        "notice",
        [fifth.position()],
        reason="clock-step",
        detail="the wall clock moved by -7200.000 s since record 13",
    )
    log.heartbeats(244, fifth)
    clock.wait(30)
    log.batch((fifth, fifth.lines(1)))
    return log, fifth


def _new_log(clock: SimulatedClock, old: LogWriter, followed: SimulatedFile) -> LogWriter:
    """The node has come back without its spool, and goes on where the old log stopped."""
    clock.wait(3600)
    log = LogWriter(NEW_LOG, clock)
    log.restart()
    last = old.head
    log.seal(
        "genesis",
        [followed.position()],
        supersedes=Supersedes(log=last.log, seq=last.seq - 1, sha256=last.prev),
    )
    clock.wait(10)
    log.batch((followed, followed.lines(1)))
    log.heartbeats(1, followed)
    clock.wait(0.5)
    log.seal("shutdown", [followed.position()])
    return log


def _scan(lines: Sequence[bytes]) -> tuple[EventRange | None, int]:
    """What a manifest says of these lines, found without the daemon's own decoder."""
    events = [event for event in map(_event, lines) if event is not None]
    malformed = len(lines) - len(events)
    if not events:
        return None, malformed
    times = [datetime.fromisoformat(event["stageTimestamp"]) for event in events]
    ids = [event["auditID"] for event in events]
    return EventRange(ids[0], ids[-1], min(times), max(times)), malformed


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and value.get("kind") == "Event" else None


def _compress(raw: bytes, frames: int) -> bytes:
    compressor = zstandard.ZstdCompressor(level=_LEVEL)
    cut = len(raw) // frames
    pieces = [raw[n * cut : None if n == frames - 1 else (n + 1) * cut] for n in range(frames)]
    return b"".join(compressor.compress(piece) for piece in pieces)


def _hex(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def main() -> None:
    """Write the files."""
    for name, body in build().items():
        path = VECTORS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


if __name__ == "__main__":
    main()
