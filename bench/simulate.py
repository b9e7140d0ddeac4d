"""A log's chain as a long life would have left it, without the life.

    python -m bench.simulate KEY_FILE COUNT DIRECTORY [COUNT DIRECTORY]...

Writes into each DIRECTORY a directory store with the first COUNT manifests of one log: entry
bundles and hash tiles, the manifests after the last full bundle, the identity and one checkpoint.
Manifests are encoded, hashed, linked and signed by the program's own `seal.*`; only the batches are
made up: one every ten seconds, from a file that rotates at 100 MB. Nothing is fsynced. Bundles and
tiles that several stores share are hard links.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from shipper.model import Agent, Data, EventRange, FileHead, Manifest, SourceSpan, Timestamp
from shipper.seal import layout
from shipper.seal.checkpoint import Checkpoint, encode_checkpoint
from shipper.seal.manifest import (
    FIRST_PREV,
    Identity,
    encode_identity,
    encode_manifest,
    text_hash,
)
from shipper.seal.merkle import TILE_WIDTH, Tree, encode_bundle, leaf_hashes, tile_path
from shipper.seal.sealer import sign_note
from shipper.seal.signer import FileSigner

SECONDS_PER_BATCH = 10
_BEGAN = datetime(2025, 11, 23, 15, 11, 32, 194_000, tzinfo=UTC)
_ORIGIN = layout.origin("audit.example.com", "bench", "cp-1", "0123456789abcdef")
_AGENT = Agent(version="0.1.0", config_sha256=sha256(b"config").hexdigest())
_BOOT_ID = "3f0c9a52-1d5e-4c0b-9c4e-6f7d2b1a8e90"
_LIVE = "/var/log/kubernetes/audit/audit.log"
_BATCH_LINES = 260
_BATCH_BYTES = 580_000
_ROTATE_BYTES = 100_000_000
_DEVICE, _FIRST_INODE, _INODES = 64_768, 131_072, 19


def write(signer: FileSigner, stores: list[tuple[int, Path]]) -> None:
    """Write a store for each count, the smallest first, in one pass over the manifests."""
    sizes = dict(stores)
    tree = Tree()
    bundle: list[bytes] = []
    roots = [root / layout.log_prefix(_ORIGIN) for root in sizes.values()]
    for text in _texts(max(sizes)):
        bundle.append(text)
        if len(bundle) == TILE_WIDTH:
            tree = _write_bundle(roots, tree, bundle)
            bundle = []
        size = tree.size + len(bundle)
        if size in sizes:
            _write_edge(signer, roots.pop(0), tree, bundle)


def _write_bundle(roots: list[Path], tree: Tree, bundle: list[bytes]) -> Tree:
    path = tile_path("entries", tree.size // TILE_WIDTH)
    tree, tiles = tree.extend(leaf_hashes(bundle))
    _put(roots, path, encode_bundle(bundle))
    for tile in tiles:
        _put(roots, tile_path(tile.level, tile.number), tile.body)
    return tree


def _write_edge(signer: FileSigner, root: Path, tree: Tree, bundle: list[bytes]) -> None:
    """What a store holds beside full bundles and tiles: its newest manifests and its checkpoint."""
    identity = Identity(
        agent=_AGENT.version, created=_BEGAN, log=_ORIGIN, vkey=signer.key.vkey(_ORIGIN)
    )
    _put([root], layout.IDENTITY, sign_note(_ORIGIN, encode_identity(identity), signer))
    for seq, text in enumerate(bundle, tree.size):
        body = sign_note(_ORIGIN, text, signer)
        _put([root], layout.manifest(seq, sha256(body).hexdigest()), body)
    tree, _ = tree.extend(leaf_hashes(bundle))
    checkpoint = encode_checkpoint(Checkpoint(_ORIGIN, tree.size, tree.root()))
    _put(
        [root],
        layout.checkpoint(tree.size, tree.root()),
        sign_note(_ORIGIN, checkpoint, signer),
    )


def _put(roots: list[Path], key: str, body: bytes) -> None:
    """One file in the first of `roots`, hard links to it in the others."""
    first = roots[0] / key
    first.parent.mkdir(parents=True, exist_ok=True)
    first.write_bytes(body)
    for root in roots[1:]:
        other = root / key
        other.parent.mkdir(parents=True, exist_ok=True)
        os.link(first, other)


def _texts(count: int) -> Iterator[bytes]:
    """The texts of a log's first `count` manifests."""
    text = encode_manifest(_manifest(0, FIRST_PREV, ()))
    yield text
    files = _Files()
    for seq in range(1, count):
        text = encode_manifest(_manifest(seq, text_hash(text), files.take(_size(seq))))
        yield text


def _manifest(seq: int, prev: str, sources: tuple[SourceSpan, ...]) -> Manifest:
    wall = _BEGAN + timedelta(seconds=SECONDS_PER_BATCH * seq, microseconds=seq * 7_919 % 900_000)
    batch = bool(sources)
    return Manifest(
        log=_ORIGIN,
        seq=seq,
        prev=prev,
        kind="batch" if batch else "genesis",
        notice=None,
        time=Timestamp(
            wall=wall,
            boot_id=_BOOT_ID,
            monotonic_ns=90_000_000_000 + (wall - _BEGAN) // timedelta(microseconds=1) * 1_000,
        ),
        data=_data(seq, wall) if batch else None,
        range=_range(seq, wall) if batch else None,
        sources=sources,
        malformed_lines=0,
        findings=None,
        agent=_AGENT,
    )


def _data(seq: int, wall: datetime) -> Data:
    digest = _digest("data", seq)
    return Data(
        key=layout.events(seq, digest, wall),
        size=_size(seq) // 14,
        sha256=digest,
        raw_size=_size(seq),
        lines=_BATCH_LINES + seq % 17,
        events_root=_digest("root", seq),
        unterminated=False,
    )


def _range(seq: int, wall: datetime) -> EventRange:
    return EventRange(
        first_audit_id=_audit_id(2 * seq),
        last_audit_id=_audit_id(2 * seq + 1),
        min_time=wall - timedelta(seconds=SECONDS_PER_BATCH),
        max_time=wall - timedelta(milliseconds=30),
    )


def _size(seq: int) -> int:
    return _BATCH_BYTES + seq * 7_919 % 40_000


def _digest(what: str, number: int) -> str:
    return sha256(b"%s %d" % (what.encode(), number)).hexdigest()


def _audit_id(number: int) -> str:
    digits = _digest("audit", number)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


class _Files:
    """The files that the log went through: a batch at a rotation touches two of them."""

    def __init__(self) -> None:
        self._number = 0
        self._start = 0
        self._head = FileHead(size=1_024, sha256=_digest("head", 0))

    def take(self, size: int) -> tuple[SourceSpan, ...]:
        """The spans of the next `size` bytes."""
        left = _ROTATE_BYTES - self._start
        if size < left:
            return (self._span(size, _LIVE),)
        stamp = _BEGAN + timedelta(seconds=1_725 * self._number)
        name = f"{_LIVE.removesuffix('.log')}-{stamp:%Y-%m-%dT%H-%M-%S}.194.log"
        last = self._span(left, name)
        self._number += 1
        self._start = 0
        self._head = FileHead(size=1_024, sha256=_digest("head", self._number))
        return (last, self._span(size - left, _LIVE)) if size > left else (last,)

    def _span(self, size: int, path: str) -> SourceSpan:
        start, self._start = self._start, self._start + size
        return SourceSpan(
            path=path,
            device=_DEVICE,
            inode=_FIRST_INODE + self._number % _INODES,
            head=self._head,
            start=start,
            end=self._start,
            prefix_sha256=_digest(self._head.sha256, self._start),
        )


def main(arguments: list[str]) -> None:
    """The command line."""
    key_file, *rest = arguments
    stores = [(int(count), Path(root)) for count, root in zip(rest[::2], rest[1::2], strict=True)]
    write(FileSigner.load(Path(key_file)), sorted(stores))


if __name__ == "__main__":
    main(sys.argv[1:])
