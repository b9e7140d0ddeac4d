"""From a store's options to a store. Knows the schemes; opens nothing yet."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from shipper.config import StoreOptions
from shipper.disk import Disk
from shipper.errors import ConfigError
from shipper.store.base import Store
from shipper.store.directory import DirectoryStore
from shipper.store.patient import PatientStore

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:[A-Za-z0-9!_.*'()=,@+:-]+/)*")
"""Characters that S3, its tools and its policies take without escapes."""


def open_store(options: StoreOptions, *, disk: Disk | None = None) -> Store:
    """The store behind `options.url`. `ConfigError` if it is malformed or of an unknown scheme."""
    url = options.url
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"{url!r} is not a URL: {error}", remedy=_FORMS) from error
    if parts.scheme == "s3":
        return _open_s3(parts, options)
    if parts.scheme == "file":
        return _open_directory(parts, options, disk)
    raise ConfigError(f"{url!r} is not the URL of a store", remedy=_FORMS)


def open_archive(options: StoreOptions) -> Store:
    """The same for a reader: passing failures of a service are no answer, and are asked again."""
    store = open_store(options)
    return PatientStore(store) if options.url.startswith("s3:") else store


def _open_directory(parts: SplitResult, options: StoreOptions, disk: Disk | None) -> Store:
    path = unquote(parts.path)
    if parts.netloc or not path.startswith("/") or parts.query or parts.fragment or "\0" in path:
        raise ConfigError(f"{options.url!r} is not the URL of a directory", remedy=_FORMS)
    return DirectoryStore(Path(path), immutable=options.immutable, disk=disk)


def _open_s3(parts: SplitResult, options: StoreOptions) -> Store:
    prefix = parts.path.strip("/")
    prefix = f"{prefix}/" if prefix else ""
    if not _BUCKET.fullmatch(parts.netloc) or parts.query or parts.fragment:
        raise ConfigError(f"{options.url!r} does not name a bucket", remedy=_FORMS)
    if not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/")):
        raise ConfigError(
            f"{options.url!r} has a prefix that S3 tools do not take as it is",
            remedy="use letters, digits and ! - _ . * ' ( ) = , @ + : between single slashes",
        )
    # boto3 takes 0.3 s and 30 MB to import: those who archive into a directory are spared it.
    from shipper.store.s3.store import S3Store

    return S3Store(parts.netloc, prefix, options)


_FORMS = "give s3://bucket/prefix or file:///absolute/path"
