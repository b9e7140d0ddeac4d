"""Where a log's objects lie, relative to the log's own prefix. Names only; nothing is read."""

from __future__ import annotations

import re
from datetime import datetime

IDENTITY = "log.note"
MANIFESTS = "manifest/"

_INSTANCE = re.compile("[0-9a-f]{16}")
NAME = re.compile("[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
"""A cluster or node name: no slash, space or plus, so that it can stand in an origin and a key."""


def origin(prefix: str, cluster: str, node: str, instance: str) -> str:
    """The log's name and its key's name."""
    return f"{prefix}/{cluster}/{node}/{instance}"


def log_prefix(log: str) -> str:
    """Where the log with this origin lies in a store: `<cluster>/<node>/<instance>/`.

    `ValueError` if the origin does not end in such a path.
    """
    parts = log.split("/")
    named = len(parts) >= 4 and all(NAME.fullmatch(part) for part in parts[-3:-1])
    if not named or not is_instance(parts[-1]) or not all(parts[:-3]):
        raise ValueError(f"{log!r} is not the name of a log")
    return "/".join(parts[-3:]) + "/"


def is_instance(name: str) -> bool:
    """Whether `name` is an instance: 16 hex digits."""
    return _INSTANCE.fullmatch(name) is not None


def events(seq: int, sha256: str, sealed: datetime) -> str:
    """A batch's lines, in the partition of the hour (UTC) in which it was sealed."""
    return f"events/{_partition(sealed)}/{seq:012d}-{sha256[:16]}.ndjson.zst"


def findings(seq: int, sha256: str, sealed: datetime) -> str:
    """A batch's findings, partitioned like its events."""
    return f"findings/{_partition(sealed)}/{seq:012d}-{sha256[:16]}.ndjson.zst"


def manifest(seq: int, sha256: str) -> str:
    """A manifest; `sha256` is that of the whole note."""
    return f"{MANIFESTS}{seq:012d}-{sha256[:16]}.note"


def checkpoint(size: int, root: bytes) -> str:
    """A checkpoint over the first `size` manifests."""
    return f"checkpoint/{size:012d}-{root.hex()[:16]}.note"


def _partition(moment: datetime) -> str:
    return f"date={moment:%Y-%m-%d}/hour={moment:%H}"
