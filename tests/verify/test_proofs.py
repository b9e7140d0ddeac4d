"""Inclusion and consistency proofs, against the vectors of transparency-dev and a naive tree."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from shipper.seal.merkle import leaf_hashes, root
from shipper.verify.proofs import (
    line_leaves,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).parent.parent / "data" / "vectors"


def rows(name: str) -> list[Any]:
    """The vectors in a file of compressed JSON lines."""
    with zstandard.open(VECTORS / f"{name}.jsonl.zst", "rt", encoding="utf-8") as file:
        return [json.loads(row) for row in file]


def path_of(row: Any) -> list[bytes]:
    """The proof of a vector."""
    return [base64.b64decode(part) for part in row["proof"] or []]


@pytest.mark.parametrize("row", rows("rfc6962-inclusion"), ids=lambda row: row["name"])
def test_inclusion_vectors(row: Any) -> None:
    """An inclusion proof is accepted or refused as the vector says."""
    proved = verify_inclusion(
        base64.b64decode(row["leafHash"]),
        row["leafIdx"],
        row["treeSize"],
        path_of(row),
        base64.b64decode(row["root"]),
    )
    assert proved != row["wantErr"]


@pytest.mark.parametrize("row", rows("rfc6962-consistency"), ids=lambda row: row["name"])
def test_consistency_vectors(row: Any) -> None:
    """A consistency proof is accepted or refused as the vector says."""
    proved = verify_consistency(
        row["size1"],
        base64.b64decode(row["root1"]),
        row["size2"],
        base64.b64decode(row["root2"]),
        path_of(row),
    )
    assert proved != row["wantErr"]


@given(st.integers(1, 70), st.data())
def test_one_line_is_proved_without_the_rest(count: int, data: st.DataObject) -> None:
    """Any line of a batch is proved against the batch's root, and proves no other line."""
    raw = b"".join(b'{"n":%d}\n' % number for number in range(count))
    leaves = line_leaves(raw)
    index = data.draw(st.integers(0, count - 1))
    path = prove_inclusion(leaves, index)
    assert verify_inclusion(leaves[index], index, count, path, root(leaves))
    assert not verify_inclusion(leaf_hashes([b"forged"])[0], index, count, path, root(leaves))
    assert not verify_inclusion(leaves[index], index, count, [*path, bytes(32)], root(leaves))


def subproof(old: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 6962 section 2.1.2, written down as it stands there."""
    size = len(leaves)
    if old == size:
        return [] if whole else [root(leaves)]
    split = 1 << ((size - 1).bit_length() - 1)
    if old <= split:
        return [*subproof(old, leaves[:split], whole=whole), root(leaves[split:])]
    return [*subproof(old - split, leaves[split:], whole=False), root(leaves[:split])]


@given(st.integers(1, 70), st.data())
def test_a_longer_tree_is_proved_to_go_on_from_a_shorter(size: int, data: st.DataObject) -> None:
    """Every consistency proof that RFC 6962 gives is accepted, and none for another old root."""
    leaves = leaf_hashes(str(number).encode() for number in range(size))
    old = data.draw(st.integers(1, size))
    path = subproof(old, leaves)
    assert verify_consistency(old, root(leaves[:old]), size, root(leaves), path)
    assert not verify_consistency(old, bytes(32), size, root(leaves), path)


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    """Asking for a proof beyond the last leaf is the caller's mistake."""
    with pytest.raises(IndexError):
        prove_inclusion(line_leaves(b"one\n"), 1)
