"""A node that has lost its spool goes on in a new log that names the old one's true head."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.process import append
from tests.s3 import faults
from tests.s3.ceph import Ceph
from tests.s3.node import Node
from tests.s3.policies import allow, policy
from tests.s3.proxy import FaultProxy


@pytest.fixture
def node(ceph: Ceph, tmp_path: Path) -> Node:
    """One that has archived a line, and whose log has grown since."""
    node = Node(ceph, tmp_path)
    append(node, b"one\n")
    assert node.once() == 0
    append(node, b"two\n")
    return node


def lose(node: Node) -> None:
    """The spool is gone; the daemon starts again."""
    shutil.rmtree(node.spool)
    assert node.once() == 0


def logs(node: Node) -> list[dict[str, Any]]:
    """What `verify` reports of each log, the older first."""
    report = json.loads(node.run("verify", "--output", "json").stdout)
    found: list[dict[str, Any]] = report["logs"]
    return found


def keys(node: Node, place: str) -> list[str]:
    """The keys, below the bucket, of one of the format's places."""
    return [f"p/{key}" for key, _ in node.versions() if f"/{place}" in key]


def test_one_history(node: Node) -> None:
    """Nothing is lost or archived twice, and `verify` follows each log to the next."""
    lose(node)
    append(node, b"three\n")
    lose(node)
    report = node.run("verify", "--output", "json")
    assert report.exit_code == 0, report.output
    assert node.archived() == b"one\ntwo\nthree\n"
    first, second, third = json.loads(report.stdout)["logs"]
    for older, newer in ((first, second), (second, third)):
        assert older["superseded_by"] == newer["origin"]
        assert newer["supersedes"] == {"log": older["origin"]} | head(older)
    assert third["superseded_by"] is None


def head(log: dict[str, Any]) -> dict[str, Any]:
    """Number and hash of a log's last manifest."""
    return {"seq": log["head"]["seq"], "sha256": log["head"]["sha256"]}


def hide(node: Node) -> None:
    """Delete markers on the newest records, on what vouches for them and on the log's name."""
    client = node.ceph.client()
    hidden = [*keys(node, "manifest/")[-2:], *keys(node, "checkpoint/"), *keys(node, "log.note")]
    for key in hidden:
        client.delete_object(Bucket=node.bucket, Key=key)


def overlay(node: Node) -> None:
    """Newer versions of the same: another record's bytes, and none at all."""
    client = node.ceph.client()
    first, *_, last = keys(node, "manifest/")
    body = client.get_object(Bucket=node.bucket, Key=first)["Body"].read()
    client.put_object(Bucket=node.bucket, Key=last, Body=body)
    client.put_object(Bucket=node.bucket, Key=keys(node, "log.note")[0], Body=b"")


def put_beyond(node: Node) -> None:
    """Objects under greater numbers: an old record under another name, and rubbish."""
    client = node.ceph.client()
    first, *_ = keys(node, "manifest/")
    place = first.rpartition("/")[0]
    body = client.get_object(Bucket=node.bucket, Key=first)["Body"].read()
    client.put_object(Bucket=node.bucket, Key=f"{place}/000000000009-{'0' * 16}.note", Body=body)
    for number in range(900, 930):
        key = f"{place}/{number:012d}-{'0' * 16}.note"
        client.put_object(Bucket=node.bucket, Key=key, Body=b"rubbish")


def put_beyond_what_we_may_not_read(node: Node) -> None:
    """An object of somebody who shares it with nobody."""
    stranger = node.ceph.user("stranger")
    node.ceph.set_policy(node.bucket, policy(allow(node.bucket, "PutObject", user="stranger")))
    place = keys(node, "manifest/")[0].rpartition("/")[0]
    key = f"{place}/000000000009-{'0' * 16}.note"
    node.ceph.client(stranger).put_object(Bucket=node.bucket, Key=key, Body=b"mine")


@pytest.mark.parametrize("interfere", [hide, overlay, put_beyond, put_beyond_what_we_may_not_read])
def test_a_head_that_somebody_hides(node: Node, interfere: Callable[[Node], None]) -> None:
    """The new log still names the last record of the old one and goes on where it ended; what
    `verify` has against the archive is the interference alone."""
    (before,) = logs(node)
    interfere(node)
    lose(node)
    newer = next(log for log in logs(node) if log["origin"] != before["origin"])
    assert newer["supersedes"] == {"log": before["origin"]} | head(before)
    assert not newer["problems"]
    assert node.run("cat").stdout_bytes == b"one\ntwo\n"


def test_a_network_that_fails(node: Node, ceph_proxy: FaultProxy) -> None:
    """Three calls in ten fail, and the old head is found all the same."""
    seed = random.SystemRandom().randrange(2**32)
    (before,) = logs(node)
    node.endpoint, ceph_proxy.plan = ceph_proxy.endpoint, faults.RandomFaults(seed)
    shutil.rmtree(node.spool)
    assert node.once(config=node.config(shutdown={"drain": "30s"})) == 0, seed
    _, newer = logs(node)
    assert newer["supersedes"] == {"log": before["origin"]} | head(before), seed
    assert node.archived() == b"one\ntwo\n", seed


def test_nobody_to_follow(ceph: Ceph, tmp_path: Path) -> None:
    """The first log of a node names none, whatever lies beside it."""
    node = Node(ceph, tmp_path)
    ceph.client().put_object(Bucket=node.bucket, Key="p/c1/n1/0123456789abcdef/log.note", Body=b"")
    append(node, b"one\n")
    assert node.once() == 0
    assert [log["supersedes"] for log in logs(node) if log["head"]] == [None]
