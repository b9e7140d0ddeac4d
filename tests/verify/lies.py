"""What an attacker with the log's own key does, and one with root on the node.

Each row names the threat of docs/threat-model.md that it carries out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import zstandard

from shipper.model import Batch, Counted, Finding, Manifest
from shipper.seal import layout, note
from shipper.seal.checkpoint import Checkpoint, decode_checkpoint, encode_checkpoint
from shipper.seal.findings import encode_findings
from shipper.seal.manifest import IDENTITY_VERSION, MANIFEST_VERSION, decode_manifest
from shipper.seal.sealer import sign_note
from tests.verify.archive import (
    NODE,
    ORIGIN,
    PREFIX,
    Log,
    batch_of,
    changed,
    finding,
    keys_of,
    line,
    manifest_at,
    objects,
    reseal,
    retext,
)
from tests.verify.attacks import Attack, delete_all

OTHER = f"{NODE}/00000000000000bb"
_HASH = "f" * 64
_FINDINGS_KEY = "findings/date=2026-11-23/hour=14/{:012d}-" + _HASH[:16] + ".ndjson.zst"
_FINDINGS = {
    "key": _FINDINGS_KEY.format(3),
    "size": 1, "sha256": _HASH, "raw_size": 1, "count": 1, "by_severity": {"high": 1},
}  # fmt: skip

FIELDS: dict[str, Any] = {
    "log": OTHER,
    "seq": 9,
    "prev": _HASH,
    "kind": "heartbeat",
    "notice.reason": "gap",
    "notice.detail": "nothing to see here",
    "time.wall": "2026-11-23T14:00:31Z",
    "time.boot_id": "boot-0",
    "time.monotonic_ns": 30_000_001_001,
    "data.key": "events/date=2026-11-23/hour=14/000000000004-ffffffffffffffff.ndjson.zst",
    "data.size": 1,
    "data.sha256": _HASH,
    "data.raw_size": 1,
    "data.lines": 1,
    "data.events_root": _HASH,
    "data.unterminated": True,
    "range": {
        "first_audit_id": "a", "last_audit_id": "b",
        "min_time": "2026-11-23T14:00:00Z", "max_time": "2026-11-23T14:00:00Z",
    },
    "sources.0.path": "/srv/other.log",
    "sources.0.device": 99,
    "sources.0.inode": 99,
    "sources.0.head.size": 5,
    "sources.0.head.sha256": _HASH,
    "sources.0.start": 1,
    "sources.0.end": 9_999,
    "sources.0.prefix_sha256": _HASH,
    "malformed_lines": 3,
    "findings": _FINDINGS,
    "agent.version": "6.6.6",
    "agent.config_sha256": _HASH,
    "agent.rules_sha256": _HASH,
    "agent.policies_sha256": _HASH,
    "epoch": 1,
    "next_vkey": "x",
    "supersedes": {"log": OTHER, "seq": 0, "sha256": _HASH},
    "lock_required": False,
    "apiserver": {"events": 7, "failed": 0, "started": 1_764_000_000},
}  # fmt: skip
"""Another value for every field of a manifest (the fourth of the small log, a batch)."""


def with_field(manifest: Manifest, path: str, value: Any) -> bytes:
    """The manifest's text with another value at `path`, of whatever type."""
    plain = msgspec.to_builtins(manifest)
    *parents, last = path.split(".")
    at = plain
    for name in parents:
        at = at[int(name)] if name.isdigit() else at[name]
    at[last] = value
    return MANIFEST_VERSION + msgspec.json.encode(plain, order="sorted") + b"\n"


def set_field(seq: int, path: str, value: Any) -> Callable[[Log], None]:
    """A sealed manifest is replaced by one that differs in this field, signed by the same key."""
    return lambda log: _ignore(retext(log, seq, with_field(manifest_at(log, seq)[1], path, value)))


def _ignore(_: object) -> None:
    return None


def lie_about(path: str, value: Any, raw: bytes = line(50) * 3) -> Callable[[Log], None]:
    """A further batch is sealed, and all is right but this field."""

    def edit(manifest: Manifest) -> Manifest:
        text = with_field(manifest, path, value)
        return decode_manifest(text)

    return lambda log: log.batch(raw, edit=edit)


def lie_about_findings(
    found: Sequence[Finding] = (finding(0), finding(2, "high")), **lies: Any
) -> Callable[[Log], None]:
    """A further batch is sealed with these findings, and its manifest is wrong about them."""

    def do(log: Log) -> None:
        stored, described = encode_findings(log.head.seq, found, log.wall)
        log.store.put(log.prefix + stored.key, stored.body)
        lie_about("findings", msgspec.to_builtins(described) | lies)(log)

    return do


def seal_object(compressed: bytes, raw_size: int | None = None) -> Callable[[Log], None]:
    """A further batch is sealed, of which the data is these bytes."""
    raw = line(50) * 3

    def do(log: Log) -> None:
        good = batch_of(raw)
        size = good.raw_size if raw_size is None else raw_size
        log.batch(raw, batch=changed_batch(good, compressed=compressed, raw_size=size))
        log.end()

    return do


def changed_batch(batch: Batch, **fields: Any) -> Batch:
    """`batch` with other values."""
    return msgspec.structs.replace(batch, **fields)


def append(text: bytes) -> Callable[[Log], None]:
    """A text is signed that is none of the sealer's."""
    return lambda log: log.lie(text)


def swap_numbers(log: Log) -> None:
    """Two sealed manifests exchange their places, each signed anew."""
    (_, first), (_, second) = manifest_at(log, 3), manifest_at(log, 4)
    reseal(log, 3, changed(second, seq=3, prev=first.prev))
    reseal(log, 4, changed(first, seq=4, prev=second.prev))


def swap_bytes(log: Log) -> None:
    """Two batches of one size, sealed in the wrong order."""
    one, other = line(1), line(2)
    spans = [log.source.take(one), log.source.take(other)]
    for raw, span in zip((other, one), spans, strict=True):
        log.add("batch", batch=batch_of(raw), sources=(span,))
    log.end()


def leave_out(log: Log) -> None:
    """Bytes of the source are not sealed."""
    log.source.take(b"the deed\n")
    log.batch(line(51))
    log.end()


def claim_unsealed(log: Log) -> None:
    """A heartbeat claims that bytes were read."""
    log.add("heartbeat", sources=(log.source.take(b"the deed\n"),))


def backwards_range(log: Log) -> None:
    """A range that ends before it starts."""
    good = log.source.take()
    log.add("heartbeat", sources=(msgspec.structs.replace(good, end=good.start - 5),))


def new_identity(**fields: Any) -> Callable[[Log], None]:
    """log.note says something else, signed under the name that it says."""

    def do(log: Log) -> None:
        parsed = note.parse(objects(log)[PREFIX + "log.note"])
        plain = {**msgspec.json.decode(parsed.text.split(b"\n")[1]), **fields}
        text = IDENTITY_VERSION + msgspec.json.encode(plain, order="sorted") + b"\n"
        objects(log)[PREFIX + "log.note"] = sign_note(plain["log"], text, log.signer)

    return do


def add_checkpoint(
    size: int, root: bytes = bytes(32), *, origin: str = ORIGIN, keep: bool = True
) -> Callable[[Log], None]:
    """Another checkpoint is signed."""

    def do(log: Log) -> None:
        if not keep:
            delete_all(f"checkpoint/{size:012d}-")(log)
        text = encode_checkpoint(Checkpoint(origin, size, root))
        key = PREFIX + layout.checkpoint(size, root)
        objects(log)[key] = sign_note(ORIGIN, text, log.signer)

    return do


def second_branch(log: Log) -> None:
    """Two manifests of a second history lie beside the first."""
    _, third = manifest_at(log, 3)
    text = with_field(third, "malformed_lines", 3)
    retext(log, 3, text, keep=True)
    _, fourth = manifest_at(log, 4)
    reseal(log, 4, changed(fourth, prev=hashlib.sha256(text).hexdigest()), keep=True)


def _windowed(raw: bytes, log2: int) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=log2)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return stream.compress(raw) + stream.flush()


_RAW = line(50) * 3
_FRAME = zstandard.compress(_RAW, 1)
_SKIPPABLE = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"
_V = MANIFEST_VERSION

DATA_OBJECTS: dict[str, tuple[bytes, int | None, str]] = {
    "a bomb": (zstandard.compress(bytes(50_000_000)), 100, "data-size"),
    "a bomb in pieces": (zstandard.compress(bytes(1_000_000)) * 50, 100, "data-size"),
    "a second frame": (_FRAME + zstandard.compress(b"and more\n"), None, "data-size"),
    "fewer bytes": (zstandard.compress(_RAW[:-5]), None, "data-size"),
    "a skippable frame": (_FRAME + _SKIPPABLE, None, "data-frame"),
    "junk behind the frame": (_FRAME + b"junk", None, "data-frame"),
    "a cut frame": (_FRAME[:-3], None, "data-frame"),
    "no frame": (_RAW, None, "data-frame"),
    "nothing": (b"", None, "data-frame"),
    "the magic alone": (_FRAME[:4], None, "data-frame"),
    "a window of 128 MiB": (_windowed(_RAW, 27), None, "data-size"),
    "a block of the reserved type": (_FRAME[:6] + b"\x07\x00\x00", None, "data-frame"),
    "a wrong checksum": (
        zstandard.ZstdCompressor(write_checksum=True).compress(_RAW)[:-4] + bytes(4),
        None, "data-size",
    ),
    "other lines": (zstandard.compress(line(51) * 3), None, "data-root"),
}  # fmt: skip

TEXTS: dict[str, bytes] = {
    "no JSON": _V + b"hello\n",
    "nothing behind the version": _V,
    "a list 60,000 deep": _V + b"[" * 60_000 + b"\n",
    "objects 10,000 deep": _V + b'{"a":' * 10_000 + b"\n",
    "sources 30,000 deep": _V + b'{"sources":' + b"[" * 30_000 + b"\n",
    "another version line": b"hello\n{}\n",
    "no version line": b"{}\n",
    "null": _V + b"null\n",
    "5,000 digits": _V + b'{"seq":' + b"9" * 5_000 + b"}\n",
    "a lone surrogate": _V + b'{"log":"\\ud800"}\n',
}


def _malformed(name: str, edit: Callable[[bytes], bytes]) -> Attack:
    def do(log: Log) -> None:
        log.add("heartbeat")
        key, manifest = manifest_at(log, 8)
        good = with_field(manifest, "seq", 8)
        del objects(log)[key]
        assert edit(good) != good
        retext_at(log, 8, edit(good))

    return Attack("T21", name, do, "manifest-malformed", 1)


def retext_at(log: Log, seq: int, text: bytes) -> None:
    """A signed note with `text` lies at number `seq`."""
    body = sign_note(log.origin, text, log.signer)
    objects(log)[PREFIX + layout.manifest(seq, hashlib.sha256(body).hexdigest())] = body


def _replaced_fields() -> list[Attack]:
    found = {"log": "manifest-log", "seq": "manifest-number"}
    rows = [
        Attack("T14", f"manifest: {path}", set_field(4, path, value),
               found.get(path, "link-broken"), 1)
        for path, value in FIELDS.items()
    ]  # fmt: skip
    newest = [path for path in FIELDS if path.split(".")[0] not in ("data", "notice", "log", "seq")]
    rows += [
        Attack("T14", f"newest manifest: {path}", set_field(7, path, FIELDS[path]),
               "checkpoint-root", 1)
        for path in newest
    ]  # fmt: skip
    rows += [
        Attack("T14", "chain alone, manifest behind the bundles",
               set_field(580, "agent.version", "6.6.6"), "link-broken", 1, "tall",
               asked={"depth": "chain"}),
        Attack("T14", "two manifests with exchanged numbers", swap_numbers, "link-broken", 1),
        Attack("T14", "log.note: agent", new_identity(agent="6.6.6"), "identity-contradicts", 1),
        Attack("T14", "log.note: created", new_identity(created="2026-11-23T14:00:01Z"),
               "identity-contradicts", 1),
        Attack("T14", "log.note: log", new_identity(log=OTHER), "identity-misplaced", 1),
        Attack("T14", "log.note: log, of no form", new_identity(log="x"), "identity-misplaced", 1),
        Attack("T14", "log.note: vkey", new_identity(vkey="x"), "identity-contradicts", 1),
        Attack("T14", "checkpoint: root", add_checkpoint(3, keep=False), "checkpoint-root", 1),
        Attack("T14", "checkpoint: size", lambda log: add_checkpoint(5, decode_checkpoint(
            note.parse(objects(log)[keys_of(log, "checkpoint/")[1]]).text).root)(log),
            "checkpoint-root", 1),
        Attack("T14", "checkpoint: origin", add_checkpoint(5, origin=OTHER),
               "checkpoint-malformed", 1),
        Attack("T15", "a second manifest of one number", second_branch, "manifest-fork", 1),
        Attack("T15", "a second checkpoint of one size", add_checkpoint(8), "checkpoint-fork", 1),
        Attack("T15", "a checkpoint of a longer history", add_checkpoint(99),
               "checkpoint-beyond", 4),
    ]  # fmt: skip
    return rows


def _sealed() -> list[Attack]:
    key = "events/date=2026-11-23/hour=14/000000000008-ffffffffffffffff.ndjson.zst"
    escapes = ("../../../../etc/passwd", "/etc/passwd", "events/../../../x", "", "log.note",
               "a" * 100, "events/\x00", "events/\x1b[2J", key)  # fmt: skip
    return [
        *(Attack("T18", f"data.key {path[:40]!r}", lie_about("data.key", path), "data-key", 1)
          for path in escapes),
        *(Attack("T18", f"data.{name} {value}", lie_about(f"data.{name}", value), code, 1)
          for name, value, code in (
              ("size", 5, "data-unreadable"), ("size", 9_999, "data-hash"),
              ("size", 10**12, "data-too-large"), ("raw_size", 10**12, "data-too-large"),
              ("raw_size", 10**400, "data-too-large"),
              ("raw_size", 5, "data-size"), ("raw_size", 9_999, "data-size"),
              ("raw_size", 0, "data-size"), ("lines", 4, "data-lines"), ("lines", 0, "data-lines"),
              ("events_root", _HASH, "data-root"), ("unterminated", True, "data-unterminated"),
              ("sha256", _HASH, "data-key"),
          )),
        Attack("T18", "unterminated, but not said", lie_about(
            "data.unterminated", False, b"torn"), "data-unterminated", 1),
        *(Attack("T18", f"data is {name}", seal_object(body, size), code, 1)
          for name, (body, size, code) in DATA_OBJECTS.items()),
        Attack("T18", "kind: a batch that says heartbeat", lie_about("kind", "heartbeat"),
               "manifest-kind", 1),
        Attack("T18", "kind: a second genesis", lambda log: log.add("genesis"),
               "manifest-kind", 1),
        Attack("T18", "kind: a shutdown with counters", lambda log: log.add(
            "shutdown", edit=lambda m: changed(m, apiserver=Counted(7, 0, 1))), "manifest-kind", 1),
        Attack("T18", "kind: a notice without its reason", lambda log: log.add("notice"),
               "manifest-kind", 1),
        Attack("T18", "events told of, but no data", lambda log: log.add(
            "heartbeat", edit=lambda m: changed(m, malformed_lines=1)), "manifest-kind", 1),
        Attack("T18", "findings that are not there", lie_about("findings", {
            **_FINDINGS, "key": _FINDINGS_KEY.format(8)
        }), "data-missing", 4),
        Attack("T18", "findings elsewhere", lie_about("findings", {
            **_FINDINGS, "key": "../x"}), "data-key", 1),
        Attack("T18", "findings: fewer than there are", lie_about_findings(
            count=1, by_severity={"low": 1}), "findings-wrong", 1),
        Attack("T18", "findings: less severe than they are", lie_about_findings(
            by_severity={"low": 2}), "findings-wrong", 1),
        Attack("T18", "findings: of a line that is not there", lie_about_findings(
            [finding(3)]), "findings-wrong", 1),
        Attack("T18", "findings: out of order", lie_about_findings(
            [finding(2), finding(0)]), "findings-wrong", 1),
        Attack("T18", "findings: another size", lie_about_findings(raw_size=5),
               "findings-wrong", 1),
        Attack("T18", "findings: far too large", lie_about_findings(raw_size=2**27),
               "findings-wrong", 1),
        Attack("T18", "a range that ends before it starts", backwards_range, "source-range", 1),
        Attack("T19", "two batches in the wrong order", swap_bytes, "source-prefix", 1),
        Attack("T19", "another prefix", lie_about("sources.0.prefix_sha256", _HASH),
               "source-prefix", 1),
        Attack("T20", "bytes between two batches", leave_out, "source-gap", 4),
        Attack("T20", "bytes that no batch holds", claim_unsealed, "source-sum", 4),
        Attack("T20", "a range longer than the data", lie_about("sources.0.end", 99_999),
               "source-sum", 4),
    ]  # fmt: skip


def _texts() -> list[Attack]:
    return [
        *(Attack("T21", name, append(text), "manifest-malformed", 1)
          for name, text in TEXTS.items()),
        Attack("T21", "a text of 70 kB", append(_V + b" " * 70_000 + b"\n"), "note-malformed", 1),
        Attack("T21", "a text of 10 MB", append(_V + b" " * 10**7 + b"\n"), "object-unreadable", 1),
        _malformed("a field twice", lambda t: t.replace(b'"seq":8', b'"seq":8,"seq":8')),
        _malformed("a field too many", lambda t: t.replace(b'"seq":8', b'"seq":8,"seq2":8')),
        _malformed("a field missing", lambda t: t.replace(b'"seq":8,', b"")),
        _malformed("fields in another order", lambda t: t.replace(b"{", b'{"seq":8,', 1).replace(
            b'"seq":8,"sources"', b'"sources"')),
        _malformed("white space", lambda t: t.replace(b'"seq":8', b'"seq": 8')),
        _malformed("a second line", lambda t: t + b"{}\n"),
        _malformed("a number as text", lambda t: t.replace(b'"seq":8', b'"seq":"8"')),
        _malformed("a number as fraction", lambda t: t.replace(b'"seq":8', b'"seq":8.0')),
        _malformed("a negative number", lambda t: t.replace(b'"seq":8', b'"seq":-8')),
        _malformed("a list as text", lambda t: t.replace(b'"sources":[', b'"sources":"').replace(
            b'}],"time"', b'}","time"')),
        _malformed("an unknown kind", lambda t: t.replace(b"heartbeat", b"heart-beat")),
        _malformed("a hash in capitals", lambda t: t.replace(b"c" * 64, b"C" * 64)),
        _malformed("a time without zone", lambda t: t.replace(b'0Z"', b'0"')),
        _malformed("an escaped letter", lambda t: t.replace(b"heartbeat", b"\\u0068eartbeat")),
    ]  # fmt: skip


LIES: list[Attack] = [*_replaced_fields(), *_sealed(), *_texts()]
