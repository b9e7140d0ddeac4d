"""From a service of the tests to `StoreOptions`, and to the store behind them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from shipper.config import S3Options, StoreOptions, parse_duration
from shipper.store.open import open_store
from shipper.store.s3.store import S3Store
from tests.s3.ceph import Keys


class Service(Protocol):
    """Ceph or moto."""

    directory: Path

    @property
    def endpoint(self) -> str:
        """Its URL."""
        ...

    @property
    def ca_bundle(self) -> Path | None:
        """What to trust; None without TLS."""
        ...

    @property
    def owner(self) -> Keys:
        """Whose the buckets are."""
        ...


def store_options(
    service: Service,
    bucket: str,
    prefix: str = "p",
    *,
    keys: Keys | None = None,
    endpoint: str = "",
    s3: Mapping[str, Any] | None = None,
    **options: Any,
) -> StoreOptions:
    """The options of a store in that bucket.

    `keys` are the owner's unless given, `endpoint` is the service's (give a proxy's), `s3` goes on
    top of `store.s3` and `options` of `store`; a retention may be written as in the file.
    """
    if isinstance(options.get("retention"), str):
        options["retention"] = parse_duration(options["retention"])
    reach = {
        "region": "us-east-1",
        "endpoint_url": endpoint or service.endpoint,
        "addressing_style": "path",
        "ca_bundle": str(service.ca_bundle or ""),
        "credentials_file": str(write_credentials(service.directory, keys or service.owner)),
    }
    return StoreOptions(
        url=f"s3://{bucket}/{prefix}".rstrip("/"),
        s3=S3Options(**(reach | dict(s3 or {}))),
        **options,
    )


def write_credentials(directory: Path, keys: Keys, path: Path | None = None) -> Path:
    """A credentials file with these keys, a new one below `directory` unless `path` is given."""
    path = path or directory / f"credentials-{uuid.uuid4().hex[:12]}"
    text = f"[default]\naws_access_key_id = {keys.access}\naws_secret_access_key = {keys.secret}\n"
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)
    return path


def open_s3(service: Service, bucket: str, prefix: str = "p", **options: Any) -> S3Store:
    """The store behind `store_options` with the same arguments."""
    store = open_store(store_options(service, bucket, prefix, **options))
    assert isinstance(store, S3Store)
    return store
