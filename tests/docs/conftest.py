"""The gateway of tests/s3, for the commands in pages that name a bucket."""

from __future__ import annotations

from tests.s3.conftest import ceph, tls

__all__ = ["ceph", "tls"]
