"""Names and order of rotated files: `audit.log` has siblings `audit-<timestamp>.log[.gz]`.

Opens nothing and decides nothing about content. The names are lumberjack's, which rotates for
kube-apiserver: stem, `-`, the time of rotation in UTC to the millisecond, extension
(gopkg.in/natefinch/lumberjack.v2 `backupName`, `timeFromName`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from shipper.audit.access import names_of_files

GZIP = ".gz"
_STAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2})-([0-9]{2})-([0-9]{2})\.([0-9]{3})"
)


class Sibling(NamedTuple):
    """A file that the API server rotated at `stamp`."""

    stamp: datetime
    path: Path

    @property
    def compressed(self) -> bool:
        """Whether the name says gzip."""
        return self.path.name.endswith(GZIP)


def list_siblings(live: Path) -> list[Sibling]:
    """The rotated files beside `live`, oldest first; none if the directory does not exist.

    Where `X.log` and `X.log.gz` both exist only `X.log` is listed: the other is being written.
    """
    found: dict[datetime, Sibling] = {}
    for name in names_of_files(live.parent):
        stamp = stamp_of(live, name)
        if stamp is not None and (stamp not in found or not name.endswith(GZIP)):
            found[stamp] = Sibling(stamp, live.parent / name)
    return [found[stamp] for stamp in sorted(found)]


def list_others(live: Path) -> list[Path]:
    """Files that something else may have made of the log: any name that starts with its stem."""
    stem, _ = _split(live.name)
    return sorted(
        live.parent / name
        for name in names_of_files(live.parent)
        if name.startswith(stem) and name != live.name and stamp_of(live, name) is None
    )


def stamp_of(live: Path, name: str) -> datetime | None:
    """When the file of that name was rotated; None if it is no sibling of `live`."""
    stem, extension = _split(live.name)
    prefix = stem + "-"
    bare = name.removesuffix(GZIP)
    if not (bare.startswith(prefix) and bare.endswith(extension)):
        return None
    match = _STAMP.fullmatch(bare[len(prefix) : len(bare) - len(extension)])
    if match is None:
        return None
    year, month, day, hour, minute, second, millis = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second, millis * 1000, tzinfo=UTC)
    except ValueError:
        return None


def _split(name: str) -> tuple[str, str]:
    # Go's filepath.Ext: from the last dot on, even if the name starts with it.
    dot = name.rfind(".")
    return (name, "") if dot < 0 else (name[:dot], name[dot:])
