"""Two daemons that go on from one head: a cloned node, a restored snapshot, a copied spool."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from shipper.errors import ConflictError
from tests.process import append, running
from tests.s3.ceph import Ceph
from tests.s3.following import QUIET, check, seal, ship, trouble
from tests.s3.node import Node


def clone(node: Node, name: str) -> Node:
    """The same node from a copy of its disk: key, log and spool."""
    other = copy.copy(node)
    other.root = node.root / name
    other.spool = other.root / "spool"
    other.log = other.root / "audit" / "audit.log"
    shutil.copytree(node.spool, other.spool)
    shutil.copytree(node.log.parent, other.log.parent)
    return other


def test_a_second_writer_is_refused_at_the_start(ceph: Ceph, tmp_path: Path) -> None:
    """A copied spool does not go on where the other one did, also if its records are hidden."""
    node = Node(ceph, tmp_path)
    append(node, b"one\n")
    assert node.once() == 0
    copied = clone(node, "copy")
    append(node, b"two\n")
    assert node.once() == 0
    before = node.versions()
    with pytest.raises(ConflictError, match=r"another daemon.*then move the spool away"):
        copied.once()
    for key, _ in before:
        ceph.client().delete_object(Bucket=node.bucket, Key=f"p/{key}")
    with pytest.raises(ConflictError, match="another daemon"):
        copied.once()
    assert node.versions() == before


def test_a_second_writer_is_refused_while_it_runs(ceph: Ceph, tmp_path: Path) -> None:
    """Of two that go on from one head, the one that ships later ships nothing, says so, seals on
    and ends with an error; the other one is not held up, and the archive verifies."""
    node = Node(ceph, tmp_path)
    append(node, b"one\n")
    assert node.once(config=node.config(batch=QUIET)) == 0
    copied = clone(node, "copy")
    with running(node, batch=QUIET) as late:
        late.wait_for_event("started")
        with running(copied, batch=QUIET) as early:
            ship(early, copied, b"two\n")
            seal(late, node, b"other\n")
            late.wait_for_event("shipping_stopped")
            (said,) = late.lines("shipping_stopped")
            assert said["level"] == "critical"
            assert trouble(late) == f"shipping stopped: {said['error']}"
            seal(late, node, b"still\n")
            ship(early, copied, b"three\n")
            assert early.end() == 0
        assert late.end() == 3
    check(copied, b"one\ntwo\nthree\n")
