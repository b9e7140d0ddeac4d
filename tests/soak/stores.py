"""The node of a soak, and its store, which can be taken away: a bucket of the Ceph gateway behind a
proxy where Ceph is installed, else a directory."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.daemon import Place
from tests.s3 import faults
from tests.s3.ceph import Ceph, missing_packages
from tests.s3.node import Node
from tests.s3.proxy import FaultProxy
from tests.s3.stores import write_credentials
from tests.s3.tls import authority

OUTAGES = (
    faults.ResetBefore(),
    faults.slow_down(),
    faults.BlackHole(),
    faults.html(),
    faults.access_denied(),
)


class Store(Protocol):
    """What can happen to it."""

    name: str
    environment: dict[str, str]
    """What a reader's command line needs."""
    options: list[str]
    """The same, as its options."""

    def away(self) -> None:
        """No call succeeds."""
        ...

    def flaky(self) -> None:
        """Some calls succeed."""
        ...

    def back(self) -> None:
        """All do."""
        ...


class Bucket:
    """Each outage is of another kind."""

    def __init__(self, node: Node, proxy: FaultProxy) -> None:
        self.name = "S3 (Ceph)"
        credentials = write_credentials(node.root, node.ceph.owner)
        self.environment = {
            "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
            "AWS_CA_BUNDLE": str(node.ceph.ca_bundle),
        }
        self.options = ["--endpoint-url", node.ceph.endpoint]
        self._proxy = proxy
        self._kinds = itertools.cycle(OUTAGES)
        self._seeds = itertools.count()

    def away(self) -> None:
        self._proxy.plan = faults.always(next(self._kinds))

    def flaky(self) -> None:
        self._proxy.plan = faults.RandomFaults(next(self._seeds))

    def back(self) -> None:
        self._proxy.plan = faults.passes


class Folder:
    """Reached through a link, which leads nowhere during an outage."""

    def __init__(self, link: Path) -> None:
        self.name = "directory"
        self.environment: dict[str, str] = {}
        self.options: list[str] = []
        self._link = link
        self._disk = link.with_name("disk")
        self._disk.mkdir()
        self.back()

    def away(self) -> None:
        self._lead(Path(os.devnull))

    flaky = away

    def back(self) -> None:
        self._lead(self._disk)

    def _lead(self, target: Path) -> None:
        fresh = self._link.with_name("fresh")
        fresh.symlink_to(target)
        os.replace(fresh, self._link)


@contextmanager
def node(root: Path) -> Iterator[tuple[Place, Store]]:
    """A node below `root`, and where it archives."""
    if missing_packages():
        place = Place(root)
        place.archive = root / "mount" / "archive"
        yield place, Folder(root / "mount")
        return
    tls = authority(root / "tls")
    ceph = Ceph(root / "ceph", tls)
    try:
        with FaultProxy(("127.0.0.1", ceph.ports.https), tls=tls) as proxy:
            behind = Node(ceph, root, endpoint=proxy.endpoint)
            yield behind, Bucket(behind, proxy)
    finally:
        ceph.stop()
