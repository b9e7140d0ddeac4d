"""The services of these tests: one gateway and one moto for the whole session."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator

import botocore.loaders
import botocore.session
import pytest

from tests.s3.ceph import Ceph, missing_packages
from tests.s3.moto import Moto
from tests.s3.proxy import FaultProxy
from tests.s3.tls import Authority, authority

REQUIRED = "AUDIT_SHIPPER_REQUIRE_S3"
"""Set to 1 (in CI) it makes a missing gateway a failure instead of a skip."""


@pytest.fixture(scope="session", autouse=True)
def shared_models() -> Iterator[None]:
    """botocore reads its description of S3 once, not for each store: 0.2 s each."""
    with pytest.MonkeyPatch.context() as patch:
        shared = functools.cache(botocore.loaders.create_loader)
        patch.setattr(botocore.session, "create_loader", shared)
        yield


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority of this session, and its certificate for 127.0.0.1."""
    return authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def ceph(tmp_path_factory: pytest.TempPathFactory, tls: Authority) -> Iterator[Ceph]:
    """The gateway. Tests share it, each in a bucket of its own."""
    packages = missing_packages()
    if packages:
        reason = f"needs a Ceph gateway: apt-get install {' '.join(packages)}"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    directory = tmp_path_factory.mktemp("ceph")
    gateway = Ceph(directory, tls)
    yield gateway
    gateway.stop()
    shutil.rmtree(directory, ignore_errors=True)  # 40 MB, of which pytest would keep three


@pytest.fixture
def ceph_proxy(ceph: Ceph, tls: Authority) -> Iterator[FaultProxy]:
    """A proxy in front of the gateway, with TLS on both sides. All calls pass until it is told."""
    with FaultProxy(("127.0.0.1", ceph.ports.https), tls=tls) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """moto. Tests share it, each in a bucket of its own."""
    server = Moto(tmp_path_factory.mktemp("moto"))
    yield server
    server.stop()
