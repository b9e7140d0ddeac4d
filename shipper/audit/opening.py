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
        succession.skip(_before([sibling.stamp for sibling in list_siblings(live)], since))
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
    source = None if found is None else found.source
    succession.skip(_behind(listing, live, source, span, since))
    if found is None:
        return None, _nothing_found(span)
    source, notices = _settle(found, span, since)
    return source, notices + _foreign_files(live, source)


def _behind(
    listing: list[Sibling],
    live: Path,
    source: SourceFile | None,
    span: SourceSpan,
    since: datetime | None,
) -> list[datetime]:
    """The stamps of the rotated files that come before the recorded position."""
    stamps = [sibling.stamp for sibling in listing]
    if source is not None and source.path == live:
        return stamps
    if source is not None and source.stamp is not None:
        # Its own stamp as well: it may have been rotated since the listing.
        return [*(stamp for stamp in stamps if stamp < source.stamp), source.stamp]
    recorded = stamp_of(live, Path(span.path).name)
    if names_no_file(span):
        since = _stamp_by_inode(listing, span, since) or recorded or since
    elif recorded is not None:
        return [stamp for stamp in stamps if stamp <= recorded]
    elif source is not None:
        # Not rotated by the API server: what it did rotate later, it did after the last write.
        written = from_ns(source.signature()[1])
        since = min(written, since or written)
    return _before(stamps, since)


def _before(stamps: list[datetime], since: datetime | None) -> list[datetime]:
    if since is None:
        return []
    # Stamps are cut to the millisecond: one of the same millisecond may be the later of the two.
    floor = since.replace(microsecond=since.microsecond // 1000 * 1000)
    return [stamp for stamp in stamps if stamp < floor]


def _stamp_by_inode(
    listing: list[Sibling], span: SourceSpan, since: datetime | None
) -> datetime | None:
    """When the recorded file was rotated, if that was before the record was sealed.

    Then both had the inode at that moment, so they are one file. A gzip file was made later.
    """
    for sibling in listing:
        rotated_before = since is not None and sibling.stamp <= since and not sibling.compressed
        if rotated_before and identity_of(sibling.path) == (span.device, span.inode):
            return sibling.stamp
    return None


def from_ns(nanoseconds: int) -> datetime:
    """A file time as a datetime, cut to the microsecond."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds // 1000)


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
