"""A node that archives into a bucket of the gateway, and what another client finds there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.daemon import Place
from tests.s3.archive import audit
from tests.s3.ceph import Ceph
from tests.s3.stores import write_credentials


class Node(Place):
    """The daemon's configuration names `endpoint` (a proxy's, perhaps); readers ask the gateway."""

    def __init__(self, ceph: Ceph, root: Path, *, bucket: str = "", endpoint: str = "") -> None:
        super().__init__(root)
        self.ceph = ceph
        self.bucket = bucket or ceph.bucket()
        self.endpoint = endpoint or ceph.endpoint
        self.credentials = write_credentials(root, ceph.owner, root / "credentials")

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/p"

    def yaml(self, **sections: dict[str, Any]) -> str:
        store = {
            "url": self.url,
            "retention": "2d",
            "s3": {
                "endpoint_url": self.endpoint,
                "credentials_file": str(self.credentials),
                "ca_bundle": str(self.ceph.ca_bundle),
            },
        }
        return super().yaml(**sections | {"store": store | sections.get("store", {})})

    # ---- what lies in the bucket

    def run(self, command: str, *options: str) -> Result:
        """`audit-shipper COMMAND` on the archive, asked of the gateway itself."""
        reach = [self.url, "--endpoint-url", self.ceph.endpoint]
        return audit(self.ceph, self, self.ceph.owner, command, *reach, *options)

    def verify(self, *options: str) -> int:
        result = self.run("verify", *options)
        self.said.write(result.output)
        return result.exit_code

    def archived(self) -> bytes:
        """What `cat` prints; it must be all there is, and verify."""
        result = self.run("cat")
        assert result.exit_code in (0, 3), result.output  # 3: there is no log yet
        return result.stdout_bytes

    def versions(self) -> list[tuple[str, str]]:
        """Key (below the store's prefix) and id of every object version; no delete markers."""
        pages = (
            self.ceph.client().get_paginator("list_object_versions").paginate(Bucket=self.bucket)
        )
        return [
            (one["Key"].removeprefix("p/"), one["VersionId"])
            for page in pages
            for one in page.get("Versions", [])
        ]

    def twice(self) -> list[str]:
        """The keys of which there is more than one version."""
        keys = [key for key, _ in self.versions()]
        return sorted({key for key in keys if keys.count(key) > 1})

    def unlocked(self) -> list[str]:
        """The keys of versions that carry no COMPLIANCE lock."""

        def mode(version: tuple[str, str]) -> str:
            head = self.ceph.client().head_object(
                Bucket=self.bucket, Key=f"p/{version[0]}", VersionId=version[1]
            )
            return head.get("ObjectLockMode", "")

        every = self.versions()
        with ThreadPoolExecutor(8) as pool:
            modes = pool.map(mode, every)
        return [key for (key, _), found in zip(every, modes, strict=True) if found != "COMPLIANCE"]
