"""From a store's URL to a store. Knows the schemes; opens nothing yet."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from shipper.disk import Disk
from shipper.errors import ConfigError
from shipper.store.base import Store
from shipper.store.directory import DirectoryStore


def open_store(url: str, *, immutable: bool = False, disk: Disk | None = None) -> Store:
    """The store behind `url`. `ConfigError` if the URL is malformed or of an unknown scheme."""
    try:
        parts = urlsplit(url)
        host, path = parts.netloc, unquote(parts.path)
    except ValueError as error:
        raise ConfigError(f"{url!r} is not a URL: {error}", remedy=_FORMS) from error
    if parts.scheme != "file":
        raise ConfigError(f"{url!r} is not the URL of a store", remedy=_FORMS)
    if host or not path.startswith("/") or parts.query or parts.fragment or "\0" in path:
        raise ConfigError(f"{url!r} is not the URL of a directory", remedy=_FORMS)
    return DirectoryStore(Path(path), immutable=immutable, disk=disk)


_FORMS = "give file:///absolute/path"
