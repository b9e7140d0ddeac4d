"""The head file: what its owner has seen of each log, so that truncation and rollback show.

A JSON file, replaced as a whole or not at all. A damaged one is never silently replaced.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from shipper.disk import Disk
from shipper.errors import ConfigError
from shipper.model import Count, Sha256Hex, Supersedes
from shipper.seal.merkle import TILE_WIDTH, Tree
from shipper.verify.report import Depth
from shipper.verify.sources import KnownFile
from shipper.verify.walk import Start

VERSION = 1

_MAX_BYTES = 256 * 1024 * 1024
_MAX_LEVELS = 8
_Level = Annotated[list[Sha256Hex], Meta(max_length=TILE_WIDTH - 1)]


class SeenFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source file, and how much of it is archived."""

    device: Count
    inode: Count
    end: Count


class SeenLog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One log as it was: `size` manifests, the last one's text hash, the tree's right edge.

    `depth`: whether the data was verified too, or the chain alone.
    """

    origin: str
    key: str
    depth: Depth
    size: Annotated[int, Meta(ge=1)]
    sha256: Sha256Hex
    wall: Annotated[datetime, Meta(tz=True)]
    boots: dict[str, Count]
    tree: Annotated[list[_Level], Meta(max_length=_MAX_LEVELS)]
    files: list[SeenFile]
    created: Annotated[datetime, Meta(tz=True)]
    supersedes: Supersedes | None

    def edge(self) -> Tree:
        """The tree over the `size` manifests."""
        return Tree(tuple(tuple(bytes.fromhex(h) for h in level) for level in self.tree))

    def start(self) -> Start:
        """The state in which a walk goes on behind them."""
        files = (
            KnownFile(f.device, f.inode, f.end, None if f.end else hashlib.sha256())
            for f in self.files
        )
        return Start(
            self.size,
            prev=self.sha256,
            tree=self.edge(),
            wall=self.wall,
            boots=self.boots,
            files=tuple(files),
        )


class _HeadFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    logs: list[SeenLog]


def load(path: Path) -> dict[str, SeenLog]:
    """What `path` remembers, by origin; nothing if there is no such file."""
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"the head file {path} cannot be read: {error.strerror}") from error
    try:
        found = msgspec.json.decode(body, type=_HeadFile)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if found.version != VERSION:
        raise ConfigError(
            f"the head file {path} is of version {found.version}, this program knows {VERSION}",
            remedy="verify with the program that wrote it",
        )
    seen = {log.origin: log for log in found.logs}
    if len(seen) != len(found.logs):
        raise _damaged(path, "a log stands in it twice")
    if any(log.edge().size != log.size for log in found.logs):
        raise _damaged(path, "a tree does not have its log's size")
    return seen


def save(path: Path, logs: Sequence[SeenLog], disk: Disk | None = None) -> None:
    """Replace the file at `path`; a crash leaves the old one or the new one."""
    disk = disk or Disk()
    head_file = _HeadFile(VERSION, sorted(logs, key=lambda log: log.origin))
    body = msgspec.json.format(msgspec.json.encode(head_file), indent=1) + b"\n"
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        disk.write(temporary, body, mode=0o644)
        disk.rename(temporary, path)
        disk.sync_directory(path.parent)
    except OSError as error:
        raise ConfigError(
            f"the head file {path} cannot be written: {error.strerror}",
            remedy="the verdicts stand, but what was seen is not remembered",
        ) from error


def _damaged(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"{path} is not a readable head file: {why}",
        remedy="restore it from a copy; if there is none, move it away and verify with --full:"
        " truncation since the last run can then not be noticed",
    )
