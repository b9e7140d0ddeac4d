"""The torture run with a bucket as the archive, behind a proxy that fails three calls in ten."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.s3 import faults
from tests.s3.ceph import Ceph
from tests.s3.node import Node
from tests.s3.proxy import FaultProxy
from tests.s3.test_crash import same_number_twice
from tests.torture import torture

ACCIDENTS = (
    *faults.QUICK,
    faults.WrongBody(),
    faults.Answer(200),
    faults.Answer(302, b"", {"Location": "http://127.0.0.1:1/"}),
    faults.Answer(404, b"<html>Not Found</html>"),
)

CALLS_A_LIFE = 35
"""A daemon is not killed before it has made so many: it asks some ten before it ships."""


def test_nothing_is_lost_or_doubled(
    ceph: Ceph, ceph_proxy: FaultProxy, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """After kill -9 at random moments, through a network that fails in every way, the archive is
    the log, every version in it is locked, and there is no second version of anything."""
    kills = pytestconfig.getoption("--torture-kills") // 2
    seed = random.SystemRandom().randrange(2**32)
    node = Node(ceph, tmp_path, endpoint=ceph_proxy.endpoint)
    ceph_proxy.plan = faults.RandomFaults(seed, kinds=ACCIDENTS)
    torture(
        node,
        kills=kills,
        seed=seed,
        max_bytes="8MiB",
        progress=ceph_proxy.count,
        least=CALLS_A_LIFE,
    )
    assert node.verify("--locked-until", "40h") == 0, (seed, node.said.getvalue())
    assert not node.unlocked(), seed
    assert not same_number_twice(key for key, _ in node.versions()), seed
    assert not node.twice(), seed
