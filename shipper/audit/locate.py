"""Finds the file in which a recorded position goes on, whatever it is called by now.

Never takes device and inode for identity (inodes are reused at once), and never reads a file that
the position does not name. A file is the recorded one if it starts with the recorded head; among
several, the one whose bytes up to the position hash to the recorded hash.
"""

from __future__ import annotations

import enum
import hashlib
from pathlib import Path
from typing import NamedTuple

from shipper.audit.access import identity_of, shown, stat_of
from shipper.audit.plain import IDENTIFYING_BYTES, identifies
from shipper.audit.siblings import GZIP, list_others, list_siblings, stamp_of
from shipper.audit.source import SourceFile, open_source
from shipper.errors import SourceError
from shipper.model import FileHead, SourceSpan


class Match(enum.Enum):
    """How well a file fits a recorded position."""

    INTACT = enum.auto()
    """It holds what was recorded."""
    EDITED = enum.auto()
    """It starts the same and is long enough, but not all before the position is as recorded."""
    SHORT = enum.auto()
    """It starts the same, but ends before the position."""


class Located(NamedTuple):
    """The file of a position. It stands at the position; at its start if it is SHORT."""

    source: SourceFile
    match: Match


def locate(live: Path, span: SourceSpan) -> Located | None:
    """The file whose bytes up to `span.end` were taken; None if no file is it.

    A position at the start of a file that held nothing yet names no file (`names_no_file`).
    """
    if names_no_file(span):
        return None
    seen: list[Located] = []
    try:
        for path in _candidates(live, span):
            found = _examine(live, path, span)
            if found is not None:
                seen.append(found)
                if found.match is Match.INTACT:
                    break
        best = min(seen, key=lambda found: found.match.value, default=None)
        if best is not None:
            seen.remove(best)
        return best
    finally:
        for other in seen:
            other.source.close()


def names_no_file(span: SourceSpan) -> bool:
    """Whether the position says nothing: nothing was taken, and every file starts like this one.

    Nothing is lost or read twice by reading, from their start, all files that were not rotated
    before it was recorded.
    """
    size = span.head.size
    like_all = (
        size < IDENTIFYING_BYTES or span.head.sha256 == hashlib.sha256(bytes(size)).hexdigest()
    )
    return span.end == 0 and like_all


def has_head(source: SourceFile, head: FileHead) -> bool:
    """Whether the file starts with `head`."""
    start = source.head_bytes[: head.size]
    return len(start) == head.size and hashlib.sha256(start).hexdigest() == head.sha256


def rest_in_copy(source: SourceFile, handed: int, *, live: Path) -> SourceFile | None:
    """A copy of a truncated file that holds more than was read of it, standing at `handed`.

    It must start with all that was absorbed. Without a way to tell the file from others no copy is
    looked for: a wrong one would be archived in its place.
    """
    if not identifies(source.head_bytes) and source.end <= len(source.head_bytes):
        return None
    paths = [sibling.path for sibling in list_siblings(live)] + list_others(live)
    dated = [(found.st_mtime_ns, path) for path in paths if (found := stat_of(path, follow=False))]
    for _, path in sorted(dated, reverse=True):
        copy = _try_open(path, live=live)
        if copy is None:
            continue
        if (
            copy.identity != source.identity
            and copy.head_bytes.startswith(source.head_bytes)
            and copy.holds(source.offset + 1)
            and copy.continues(source)
            and copy.seek(handed)
        ):
            return copy
        copy.close()
    return None


def _candidates(live: Path, span: SourceSpan) -> list[Path]:
    """Where the file can be: under its old name, with its old inode, rotated, or anywhere else."""
    rotated = [sibling.path for sibling in list_siblings(live)]
    rotated.sort(key=lambda path: path.name.endswith(GZIP))
    rest = rotated + list_others(live)
    identity = (span.device, span.inode)
    same = [path for path in rest if identity_of(path) == identity]
    return [live, *same, *(path for path in rest if path not in same)]


def _examine(live: Path, path: Path, span: SourceSpan) -> Located | None:
    source = _try_open(path, live=live)
    if source is None:
        return None
    same_inode = source.identity == (span.device, span.inode)
    # An outside rename leaves the API server writing to the renamed file.
    source.was_live |= same_inode and source.stamp is None and span.path == shown(live)
    if not has_head(source, span.head):
        source.close()
        return None
    named = identifies(source.head_bytes[: span.head.size])
    reached = source.seek(span.end)
    intact = reached and source.span(0).prefix_sha256 == span.prefix_sha256
    # Of bytes that name no file the hash proves little, unless there are many.
    stamp = stamp_of(live, Path(span.path).name)
    known = same_inode if stamp is None else stamp == source.stamp
    if intact and (named or known or span.end > span.head.size):
        return Located(source, Match.INTACT)
    if reached and named:
        return Located(source, Match.EDITED)
    source.close()
    # A shorter copy elsewhere is what `copytruncate` leaves behind, and not the file.
    if reached or not named or not (same_inode or path == live):
        return None
    again = open_source(path, live=live)
    return None if again is None else Located(again, Match.SHORT)


def _try_open(path: Path, *, live: Path) -> SourceFile | None:
    """As `open_source`, but a file that is none of the log's may be closed to us."""
    try:
        return open_source(path, live=live)
    except SourceError:
        if path == live or stamp_of(live, path.name) is not None:
            raise
        return None
