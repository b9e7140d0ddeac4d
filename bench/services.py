"""The S3 services of the benchmarks: a sink, and Ceph's gateway where it is installed.

Both on loopback over TLS, with the certificate and the gateway of the tests. They are processes of
their own, whose CPU counts for nobody.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.bench import Bench
from bench.process import ProgramFailedError
from tests.s3.ceph import Ceph, CephError, Keys, missing_packages
from tests.s3.daemons import free_ports
from tests.s3.stores import write_credentials
from tests.s3.tls import authority


class NoServiceError(Exception):
    """This machine cannot run the service."""


class Sink:
    """`bench.sink`: a place to send to, where somebody listens or nobody does.

    `store` is the section of the configuration, all else in it as the program ships it.
    """

    def __init__(self, directory: Path) -> None:
        self._tls = authority(directory)
        self._port = free_ports(1)[0]
        credentials = write_credentials(directory, Keys("bench", "secret"))
        self.store = _store(
            "bench", f"https://127.0.0.1:{self._port}", self._tls.ca_bundle, credentials
        )

    @contextmanager
    def listening(self, *, delay_seconds: float = 0.0) -> Iterator[None]:
        """It answers each request after that delay."""
        command = [sys.executable, "-m", "bench.sink", str(self._tls.server_pem), str(self._port)]
        with subprocess.Popen([*command, str(delay_seconds)], stdout=subprocess.PIPE) as server:
            try:
                if server.stdout is None or not server.stdout.readline():
                    raise NoServiceError(f"the sink does not listen on port {self._port}")
                yield
            finally:
                server.kill()


@contextmanager
def gateway(bench: Bench) -> Iterator[tuple[Ceph, dict[str, Any]]]:
    """Ceph's gateway, and the section `store` for a bucket with Object Lock on it."""
    packages = missing_packages()
    if packages:
        raise NoServiceError(f"needs a Ceph gateway: apt-get install {' '.join(packages)}")
    directory = bench.directory / "gateway"
    tls = authority(directory)
    try:
        ceph = Ceph(directory, tls)
    except CephError as error:
        raise ProgramFailedError(str(error)) from error
    try:
        credentials = write_credentials(directory, ceph.owner)
        yield ceph, _store(ceph.bucket(), ceph.endpoint, tls.ca_bundle, credentials)
    finally:
        ceph.stop()
        shutil.rmtree(directory)


def _store(bucket: str, endpoint: str, ca_bundle: Path, credentials: Path) -> dict[str, Any]:
    return {
        "url": f"s3://{bucket}/k8s",
        "s3": {
            "region": "us-east-1",
            "endpoint_url": endpoint,
            "ca_bundle": str(ca_bundle),
            "credentials_file": str(credentials),
        },
    }
