"""Hash tiles and entry bundles: those that must be there, and that they are what manifests give.

Also builds a tree's right edge from tiles, for a start in the middle. Believes no tile: an edge is
proved by a signed root later, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipper.seal.merkle import (
    TILE_WIDTH,
    Tile,
    Tree,
    decode_bundle,
    leaf_hashes,
    root,
    tile_path,
)
from shipper.seal.note import MAX_TEXT_BYTES
from shipper.verify.reader import Reader

BUNDLES = "tile/entries/"

HASH_BYTES = 32
TILE_BYTES = TILE_WIDTH * HASH_BYTES
MAX_BUNDLE_BYTES = TILE_WIDTH * (MAX_TEXT_BYTES + 2)


class Tiles:
    """Compares each completed tile with the stored one.

    The newest may still be on its way: a manifest is shipped before the tiles that it completes.
    They must be there as soon as anything is that is shipped after them.
    """

    def __init__(self, reader: Reader, *, bundles: bool) -> None:
        self._reader = reader
        self._bundles = bundles
        self._fresh: Sequence[Tile] = ()

    def completed(self, tiles: Sequence[Tile]) -> None:
        """These are what the newest manifest has completed."""
        self._fresh = tiles

    def settle(self, *, required: bool) -> None:
        """Check what was completed; `required`: something is there that was shipped later."""
        for tile in self._fresh:
            self._check(tile, required)
        self._fresh = ()

    def _check(self, tile: Tile, required: bool) -> None:
        self._reader.get(
            tile_path(tile.level, tile.number),
            max_bytes=TILE_BYTES,
            right=lambda body: body == tile.body,
            missing="tile-missing" if required else "",
            wrong="tile-wrong",
        )
        if tile.level == 0 and self._bundles:
            read_bundle(self._reader, tile.number, required=required, leaves=tile.body)


def read_bundle(
    reader: Reader, number: int, *, required: bool, leaves: bytes = b""
) -> list[bytes] | None:
    """The 256 texts of a bundle; None, and a problem, if it has not as many.

    They are nobody's word, unless their hashes (`leaves`, in one piece) are given.
    """
    texts: list[bytes] = []

    def right(body: bytes) -> bool:
        texts[:] = _texts(body)
        return bool(texts) and (not leaves or b"".join(leaf_hashes(texts)) == leaves)

    body = reader.get(
        tile_path("entries", number),
        max_bytes=MAX_BUNDLE_BYTES,
        right=right,
        seq=number * TILE_WIDTH if required else None,
        missing="bundle-missing" if required else "",
        wrong="bundle-wrong",
    )
    return None if body is None else texts


def _texts(body: bytes) -> list[bytes]:
    """The 256 texts in it; none, if it is no full bundle."""
    try:
        texts = decode_bundle(body)
    except ValueError:
        return []
    return texts if len(texts) == TILE_WIDTH else []


def edge(reader: Reader, bundles: int) -> Tree | None:
    """The right edge of the tree over the first `bundles` * 256 manifests, as the tiles tell it.

    None, and a problem, if a tile is missing.
    """
    levels: list[tuple[bytes, ...]] = [()]
    level, count = 0, bundles
    while count:
        hashes = [_tile_root(reader, level, n) for n in range(count - count % TILE_WIDTH, count)]
        if None in hashes:
            return None
        levels.append(tuple(known for known in hashes if known is not None))
        level, count = level + 1, count // TILE_WIDTH
    return Tree(tuple(levels))


def _tile_root(reader: Reader, level: int, number: int) -> bytes | None:
    key = tile_path(level, number)
    body = reader.get(key, max_bytes=TILE_BYTES, missing="tile-missing")
    if body is None:
        return None
    if len(body) != TILE_BYTES:
        reader.ledger.add("tile-wrong", key=reader.full(key))
        return None
    return root([body[at : at + HASH_BYTES] for at in range(0, TILE_BYTES, HASH_BYTES)])
