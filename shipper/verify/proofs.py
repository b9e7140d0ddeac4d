"""Merkle proofs (RFC 6962 section 2.1; the checks are those of RFC 9162 section 2.1.3 and 2.1.4).

With them one event can be disclosed and proved against a manifest's `events_root`, or one manifest
against a checkpoint, without the rest. Pure; refuses proofs that are longer or shorter than needed.
"""

from __future__ import annotations

from collections.abc import Sequence

from shipper.seal.merkle import leaf_hashes, node_hash, root

_HASH_BYTES = 32


def line_leaves(raw: bytes) -> list[bytes]:
    """The leaf hashes of a batch's raw bytes, one for each line without its newline."""
    lines = raw.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return leaf_hashes(lines)


def prove_inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index`, from the bottom up (RFC 6962 section 2.1.1)."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} among {len(leaves)}")
    path: list[bytes] = []
    level, position = list(leaves), index
    while len(level) > 1:
        sibling = position ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = [root(level[at : at + 2]) for at in range(0, len(level), 2)]
        position >>= 1
    return path


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], tree_root: bytes
) -> bool:
    """Whether `path` proves that leaf hash `leaf` is number `index` of `size` under `tree_root`."""
    if not 0 <= index < size or not _are_hashes(leaf, *path):
        return False
    position, last, result = index, size - 1, leaf
    for sibling in path:
        if not last:
            return False
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    return not last and result == tree_root


def verify_consistency(
    old_size: int, old_root: bytes, size: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether `path` proves that the tree of `old_size` leaves is the start of that of `size`.

    About an empty tree nothing can be proved.
    """
    if not 1 <= old_size <= size or not _are_hashes(*path):
        return False
    if old_size == size:
        return not path and old_root == new_root
    if not path:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    rest = list(path)
    old = new = rest.pop(0) if position else old_root
    for sibling in rest:
        if not last:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return not last and old == old_root and new == new_root


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == _HASH_BYTES for value in values)
