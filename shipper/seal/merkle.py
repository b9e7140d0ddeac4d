"""Merkle trees as RFC 6962 section 2.1 hashes them, kept as C2SP tlog-tiles.

Pure functions over hashes: no I/O, no signatures. A tree is held as its right edge only, so its
memory does not grow with its size: at level L the hashes of the tile that is not full yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from operator import add
from typing import NamedTuple

TILE_WIDTH = 256
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> list[bytes]:
    """`leaf_hash` of each; one call for many, since a call per line costs as much as its hash."""
    return _hashed(b"\x00", leaves)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes (or over roots of equal, perfect subtrees)."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        odd = [level.pop()] if len(level) % 2 else []
        level = _hashed(b"\x01", map(add, level[::2], level[1::2])) + odd
    return level[0]


def _hashed(prefix: bytes, bodies: Iterable[bytes]) -> list[bytes]:
    """SHA-256(prefix || body) of each.

    A copy of the prefix's hash is a sixth faster than a new hash over a new string.
    """
    begin = sha256(prefix).copy
    hashes = []
    for body in bodies:
        digest = begin()
        digest.update(body)
        hashes.append(digest.digest())
    return hashes


class Tile(NamedTuple):
    """A full tile: 256 hashes of one level, 8,192 bytes. `number` counts from 0 in its level."""

    level: int
    number: int
    body: bytes


class Tree(NamedTuple):
    """A tree's right edge: `levels[L]` holds the hashes of the unfinished tile of level L.

    A hash at level L covers 256**L leaves. Every level has fewer than 256 hashes.
    """

    levels: tuple[tuple[bytes, ...], ...] = ()

    @property
    def size(self) -> int:
        """The number of leaves."""
        return sum(len(hashes) << (8 * level) for level, hashes in enumerate(self.levels))

    def root(self) -> bytes:
        """The RFC 6962 tree hash of all leaves so far."""
        peaks: list[bytes] = []
        for hashes in reversed(self.levels):
            start = 0
            while start < len(hashes):
                width = 1 << ((len(hashes) - start).bit_length() - 1)
                peaks.append(root(hashes[start : start + width]))
                start += width
        if not peaks:
            return EMPTY_ROOT
        result = peaks.pop()
        while peaks:
            result = node_hash(peaks.pop(), result)
        return result

    def extend(self, leaves: Sequence[bytes]) -> tuple[Tree, list[Tile]]:
        """Append leaf hashes; returns the tree after them and the tiles that they completed."""
        size = self.size
        levels: list[tuple[bytes, ...]] = []
        tiles: list[Tile] = []
        arriving: tuple[bytes, ...] = tuple(leaves)
        level = 0
        while arriving or level < len(self.levels):
            held = (self.levels[level] if level < len(self.levels) else ()) + arriving
            index = size >> (8 * (level + 1))
            above = []
            while len(held) >= TILE_WIDTH:
                full, held = held[:TILE_WIDTH], held[TILE_WIDTH:]
                tiles.append(Tile(level, index, b"".join(full)))
                above.append(root(full))
                index += 1
            levels.append(held)
            arriving = tuple(above)
            level += 1
        return Tree(tuple(levels)), tiles


def tile_path(level: int | str, index: int) -> str:
    """Where a full tile lies: `tile/<level>/<index>`, the index in groups of three digits.

    Level "entries" gives the path of an entry bundle (C2SP tlog-tiles, "Log entries").
    """
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    return f"tile/{level}/" + "/".join(reversed(groups))


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry behind its length as a big-endian uint16."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(body: bytes) -> list[bytes]:
    """The entries of a bundle. `ValueError` where a length points past the end."""
    entries = []
    offset = 0
    while offset < len(body):
        start = offset + 2
        offset = start + int.from_bytes(body[offset:start], "big")
        if offset > len(body):
            raise ValueError(f"the entry at byte {start - 2} ends after the bundle")
        entries.append(body[start:offset])
    return entries
