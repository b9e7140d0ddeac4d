"""Where following begins: at a recorded position, at the log's beginning, or at its end.

Reads what lies before that point only to hash it; skips no byte after it without saying so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from shipper.audit.access import identity_of, shown, stat_of
from shipper.audit.locate import Located, Match, locate, names_no_file
from shipper.audit.resume import known_length
from shipper.audit.siblings import Sibling, list_others, list_siblings, stamp_of
from shipper.audit.source import SourceFile, open_source
from shipper.audit.succession import Succession
from shipper.audit.tail import notice
from shipper.model import Notice, SourceSpan

StartAt = Literal["beginning", "end"]
_ATTEMPTS = 8

Opening = tuple[SourceFile | None, list[Notice]]


def begin(
    live: Path,
    succession: Succession,
    *,
    start_at: StartAt,
    position: Sequence[SourceSpan],
    since: datetime | None,
) -> Opening:
    """The file to read on in, standing at the right byte (None: the first that `succession` has).

    What `succession` must not offer is marked as behind.
    """
    if position:
        return _resume(live, succession, position[-1], since)
    if start_at == "end":
        if since is None:
            return _last_line(live, succession), []
        _skip_before(succession, list_siblings(live), since)
    return None, []


def _last_line(live: Path, succession: Succession) -> SourceFile | None:
    """The live file after its last newline. Everything rotated is left alone."""
    source = open_source(live, live=live)
    # Listed after the open, so that all that was rotated before is seen.
    for sibling in list_siblings(live):
        if source is not None and identity_of(sibling.path) == source.identity:
            break  # rotated since the open: the newer ones come after it
        succession.skip([sibling.stamp])
    if source is not None:
        source.seek(_after_last_newline(source))
    return source


def _after_last_newline(source: SourceFile) -> int:
    offset = end = 0
    for data in source.chunks():
        cut = data.rfind(b"\n") + 1
        if cut:
            end = offset + cut
        offset += len(data)
    return end


def _resume(
    live: Path, succession: Succession, span: SourceSpan, since: datetime | None
) -> Opening:
    for _ in range(_ATTEMPTS):
        listing = list_siblings(live)
        found = locate(live, span)
        # A rotation in between can hide the file under a name that was not looked at.
        if found is not None or list_siblings(live) == listing:
            break
    stamp = stamp_of(live, Path(span.path).name)
    if found is not None and found.source.path == live:
        succession.skip(sibling.stamp for sibling in listing)
    elif found is not None and found.source.stamp is not None:
        _skip_to(succession, listing, found.source.stamp)
    elif stamp is not None and names_no_file(span):
        _skip_before(succession, listing, stamp)
    elif stamp is not None:
        _skip_to(succession, listing, stamp)
    elif found is not None:
        # Not rotated by the API server: what it did rotate later, it did after the last write.
        written = from_ns(found.source.signature()[1])
        _skip_before(succession, listing, min(written, since or written))
    elif since is not None:
        _skip_before(succession, listing, since)
    if found is None:
        return None, _nothing_found(span)
    source, notices = _settle(found, span, since)
    return source, notices + _foreign_files(live, source)


def _skip_to(succession: Succession, listing: list[Sibling], stamp: datetime) -> None:
    succession.skip(sibling.stamp for sibling in listing if sibling.stamp <= stamp)


def from_ns(nanoseconds: int) -> datetime:
    """A file time as a datetime, cut to the microsecond."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds // 1000)


def _skip_before(succession: Succession, listing: list[Sibling], since: datetime) -> None:
    # Stamps are cut to the millisecond: one of the same millisecond may be the later of the two.
    floor = since.replace(microsecond=since.microsecond // 1000 * 1000)
    succession.skip(sibling.stamp for sibling in listing if sibling.stamp < floor)


def _nothing_found(span: SourceSpan) -> list[Notice]:
    if span.end == 0:
        return []
    return [
        notice(
            "gap",
            f"{span.path} (inode {span.inode}) was read up to byte {span.end} and cannot be found "
            "any more: what it held after that byte, if anything, is missing",
        )
    ]


def _settle(
    found: Located, span: SourceSpan, since: datetime | None
) -> tuple[SourceFile, list[Notice]]:
    """Decide at which byte to go on when the file is not as it was recorded."""
    source = found.source
    name = f"{shown(source.path)} (inode {source.inode})"
    if found.match is Match.INTACT:
        return source, []
    if found.match is Match.EDITED and not source.in_line:
        detail = f"the first {span.end} bytes of {name} are not those that were read"
        return source, [notice("source-edited", f"{detail}; reading goes on after them")]
    # Cut, and perhaps grown again: the recorded offset means nothing in this content.
    known = known_length(source.chunks(), since) if since is not None else None
    if found.match is Match.EDITED:
        start = span.end if known is None else min(known, span.end)
        detail = f"the first {span.end} bytes of {name} are not those that were read"
        text = notice("source-edited", f"{detail}; reading goes on at byte {start}")
    else:
        start = known or 0
        detail = f"{name} was read up to byte {span.end} and is shorter now"
        text = notice("source-truncated", f"{detail}; reading goes on at byte {start}")
    again = source.next_generation()
    again.seek(start)
    source.close()
    return again, [text]


def _foreign_files(live: Path, source: SourceFile) -> list[Notice]:
    """Say so if the log is rotated by something else, which may have made files in between."""
    if source.path == live or source.stamp is not None:
        return []
    last = source.signature()[1]
    newer = [
        shown(Path(path.name))
        for path in list_others(live)
        if path.name.startswith(live.name)
        and path != source.path
        and (found := stat_of(path, follow=False)) is not None
        and found.st_mtime_ns > last
    ]
    if not newer:
        return []
    return [
        notice(
            "gap",
            f"{shown(source.path)} was not rotated by the API server, and there are newer files of "
            f"the kind that are not read: {', '.join(newer)}",
        )
    ]
