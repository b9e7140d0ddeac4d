"""The tree against RFC 6962 written down naively, and against published vectors."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.seal.merkle import (
    EMPTY_ROOT,
    TILE_WIDTH,
    Tile,
    Tree,
    decode_bundle,
    encode_bundle,
    leaf_hash,
    leaf_hashes,
    node_hash,
    root,
    tile_path,
)


def naive(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash, word for word as RFC 6962 section 2.1 has it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def grown(hashes: list[bytes], steps: list[int]) -> tuple[Tree, list[Tile]]:
    """A tree that took the hashes in steps of these sizes."""
    tree, tiles, at = Tree(), [], 0
    for step in [*steps, len(hashes)]:
        tree, completed = tree.extend(hashes[at : at + step])
        tiles += completed
        at += step
    return tree, tiles


@given(st.lists(st.binary(max_size=5), max_size=100))
def test_root_is_the_merkle_tree_hash(leaves: list[bytes]) -> None:
    """The iterative root is the recursive one."""
    assert root(leaf_hashes(leaves)) == naive(leaves)


@given(st.integers(0, 700), st.lists(st.integers(0, 300), max_size=6))
def test_tree_has_the_same_root_however_it_grew(size: int, steps: list[int]) -> None:
    """A right edge gives the root of all leaves, whatever the steps."""
    leaves = [str(number).encode() for number in range(size)]
    tree, _ = grown(leaf_hashes(leaves), steps)
    assert (tree.size, tree.root()) == (size, naive(leaves))


@given(st.integers(0, 1_100), st.lists(st.integers(0, 600), max_size=6))
def test_tiles_are_the_naive_construction(size: int, steps: list[int]) -> None:
    """Each full tile holds 256 hashes of its level, and each is given exactly once, in order."""
    hashes = leaf_hashes(str(number).encode() for number in range(size))
    _, tiles = grown(hashes, steps)
    level = [Tile(0, n, b"".join(hashes[n * 256 : n * 256 + 256])) for n in range(size // 256)]
    assert [tile for tile in tiles if tile.level == 0] == level
    assert [tile for tile in tiles if tile.level] == []


def test_a_tile_of_the_next_level() -> None:
    """65,536 leaves complete one tile of level 1, of the roots of those of level 0."""
    hashes = leaf_hashes(number.to_bytes(4, "big") for number in range(65_536 + 3))
    tree, tiles = grown(hashes, [70, 60_000])
    (above,) = [tile for tile in tiles if tile.level == 1]
    roots = [root(hashes[at : at + 256]) for at in range(0, 65_536, 256)]
    assert above == Tile(1, 0, b"".join(roots))
    assert [len(level) for level in tree.levels] == [3, 0, 1]
    assert tree.root() == root(hashes)


def test_published_roots() -> None:
    """The roots of certificate-transparency's own tests, over its eight leaves."""
    leaves = [
        bytes.fromhex(text)
        for text in (
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        )
    ]  # fmt: skip
    roots = {
        0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    for size, expected in roots.items():
        assert root(leaf_hashes(leaves[:size])).hex() == expected
    assert Tree().root() == EMPTY_ROOT


def test_leaves_and_nodes_are_told_apart() -> None:
    """A node is not a leaf of the same bytes."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert node_hash(left, right) != leaf_hash(left + right)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_are_read_again(entries: list[bytes]) -> None:
    """Entries of any length come back."""
    assert decode_bundle(encode_bundle(entries)) == entries


@given(st.binary(max_size=60))
def test_any_bytes_are_a_bundle_or_a_value_error(body: bytes) -> None:
    """Nothing else is raised, and what is accepted has one encoding."""
    try:
        entries = decode_bundle(body)
    except ValueError:
        return
    assert encode_bundle(entries) == body


@pytest.mark.parametrize(
    ("level", "number", "path"),
    [
        (0, 0, "tile/0/000"),
        (0, 999, "tile/0/999"),
        (0, 1_000, "tile/0/x001/000"),
        (2, 1_234_067, "tile/2/x001/x234/067"),
        ("entries", 12_499, "tile/entries/x012/499"),
    ],
)
def test_paths_are_those_of_tlog_tiles(level: int | str, number: int, path: str) -> None:
    """Indices stand in groups of three digits."""
    assert tile_path(level, number) == path


def test_a_tile_is_256_wide() -> None:
    """The width that C2SP tlog-tiles fixes."""
    assert TILE_WIDTH == 256
