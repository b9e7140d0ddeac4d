"""moto, an S3 service in this process: for `If-None-Match`, which the gateway does not know.

It accepts every signature and checksum and lets a COMPLIANCE lock be shortened: prove nothing else
with it.
"""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config as BotoConfig

from tests.s3.ceph import Keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Moto:
    """A moto server on a free port of 127.0.0.1."""

    owner = Keys("moto", "moto")
    ca_bundle = None

    def __init__(self, directory: Path) -> None:
        # A second to import, which only those who use it pay.
        from moto.server import ThreadedMotoServer

        self.directory = directory
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.address = (host, port)

    @property
    def endpoint(self) -> str:
        """Its URL, without TLS."""
        return f"http://{self.address[0]}:{self.address[1]}"

    def stop(self) -> None:
        """End the server; its buckets are gone."""
        self._server.stop()

    def client(self) -> S3Client:
        """A boto3 client. It does not retry."""
        return boto3.session.Session().client(
            "s3",
            aws_access_key_id=self.owner.access,
            aws_secret_access_key=self.owner.secret,
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            config=BotoConfig(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def bucket(self) -> str:
        """Make a bucket with Object Lock."""
        name = f"b-{uuid.uuid4().hex[:16]}"
        self.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
        return name
