"""Steps of a daemon that follows a log into a bucket, for tests that wait for them."""

from __future__ import annotations

import json

from click.testing import CliRunner

from shipper.cli.main import commands
from shipper.spool.spool import inspect
from tests.process import Daemon, append
from tests.s3.node import Node

QUIET = {"max_age": "50ms", "max_bytes": "64KiB", "heartbeat": "1h"}
"""Nothing is sealed but what a test appends, and that at once."""


def sealed(node: Node) -> int:
    """The newest number in the spool; -1 if there is none."""
    waiting, stored, _ = inspect(node.spool)
    return max(waiting + stored, default=-1)


def pending(node: Node) -> int:
    """How many records wait for the store."""
    return len(inspect(node.spool)[0])


def seal(daemon: Daemon, node: Node, line: bytes) -> None:
    """Append a line, and wait until it is sealed."""
    before = sealed(node)
    append(node, line)
    daemon.wait_for(lambda: sealed(node) > before, "the seal")


def ship(daemon: Daemon, node: Node, line: bytes) -> None:
    """Append a line, and wait until it is in the store."""
    seal(daemon, node, line)
    daemon.wait_for(lambda: pending(node) == 0, "the store")


def trouble(daemon: Daemon) -> str:
    """What `status` says of the store."""
    arguments = ["status", "--config", str(daemon.config), "--output", "json"]
    said = CliRunner().invoke(commands, arguments)
    return str(json.loads(said.output)["store_trouble"])


def check(node: Node, expected: bytes) -> None:
    """All is there, proved, locked, and nothing was written twice."""
    assert node.archived() == expected
    assert node.verify("--locked-until", "40h") == 0, node.said.getvalue()
    assert not node.twice()
