"""Follows the audit log through every kind of rotation and hands out its bytes, once, in order.

Never waits, never skips a byte without a notice, and keeps nothing across restarts: where to begin
is read from the newest sealed manifest.

The rules:

1. While a descriptor is open its device and inode belong to no other file. So the live path is
   compared with the descriptor to see a rotation. Across restarts they identify nothing: the head
   and the hash of the bytes read do.
2. The reader moves on from a file F only when there is a successor with at least one byte, because
   only then has the API server closed F. After that observation F is read to its end once more;
   then its torn last line, if any, is handed out unterminated. Until then (an empty new live file,
   no live file at all, a renamed or deleted one) F's descriptor is read.
3. The successors of F are the rotated files ahead of it, oldest first, then the live file. F itself
   is found among them by inode, or by head if it was compressed and removed. A live file is taken
   only if no rotated file is ahead when it is already open. Empty rotated files are passed over.
4. After each read the file must still be long enough and start with the same head, else what was
   read is discarded (`plain.py`). If it was truncated, its old content is looked for among copies:
   with a copy that holds more than was read, reading goes on there; without, the partial line is
   handed out unterminated. Then the same file follows from its start. If only its end was cut, it
   follows from the last event that was already read.
5. A live file that lost its name and is nobody's rotated file is reported once; its descriptor is
   read on. The last two files that were left although the API server may still be writing to them
   are kept open, and what it writes is handed out (`linger.py`). An empty new live file is held
   open before its time (`succession.py`), and one that stays away for 10 s is reported
   (`absence.py`).
6. A rotated `.gz` without its `.log` is complete, by lumberjack's protocol. If its stream ends
   early it is given 5 s in which nothing changes; then what decodes is all there is, and a gap is
   reported. A corrupt one is not waited for.
7. A file that vanishes between listing and opening: list again. No directory: nothing to read yet.
   Permission denied: `SourceError`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from shipper.audit.absence import Absence
from shipper.audit.access import shown, source_error
from shipper.audit.lines import LINE_BUFFER
from shipper.audit.linger import Lingering
from shipper.audit.locate import rest_in_copy
from shipper.audit.opening import StartAt, begin, from_ns
from shipper.audit.plain import State
from shipper.audit.resume import known_length
from shipper.audit.siblings import GZIP
from shipper.audit.source import SourceFile, open_source
from shipper.audit.succession import Succession
from shipper.audit.tail import Finished, Segment, Step, Tail, notice
from shipper.errors import SourceError
from shipper.model import Notice, SourceSpan

__all__ = ["Finished", "Follower", "Segment", "Step"]

READ_BYTES = 1024 * 1024
"""How much one read takes: enough that system calls cost nothing, little enough for a cache."""

SETTLE_SECONDS = 5.0
"""How long an incomplete gzip file must not change before it counts as all there will be."""


class Follower:
    """The bytes of one audit log. Call `start` once, then `read` for as long as you like."""

    def __init__(
        self,
        path: Path,
        *,
        start_at: StartAt,
        read_bytes: int = READ_BYTES,
        line_bytes: int = LINE_BUFFER,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._live = path
        self._start_at = start_at
        self._read_bytes = read_bytes
        self._line_bytes = line_bytes
        self._monotonic = monotonic
        self._succession = Succession(path)
        self._lingering = Lingering(monotonic)
        self._tail: Tail | None = None
        self._coming: deque[SourceFile] = deque()  # opened already, to be read after the tail
        self._outbox: deque[tuple[Step, SourceFile | None]] = deque()  # ... and the tail's file
        self._current: SourceFile | None = None
        self._absence = Absence(path, monotonic)
        self._incomplete: SourceFile | None = None  # the one that was reported
        self._settling: tuple[tuple[int, int], float] | None = None

    def start(self, position: Sequence[SourceSpan], since: datetime | None) -> list[Notice]:
        """Find where to go on. Raises `SourceError` if the log may not be read.

        `position` is `sources` of the newest sealed manifest, its last element the current file;
        `since` is that manifest's wall time, and None on the log's very first start, the only time
        that `start_at` counts for files that are there already. Returned is what a reader of the
        record must know before the first segment.
        """
        try:
            source, notices = begin(
                self._live,
                self._succession,
                start_at=self._start_at,
                position=position,
                since=since,
            )
        except OSError as error:
            raise source_error(self._live, error) from error
        if source is None:
            # A record sealed before the first read must carry a position in the file that is read
            # next: at another start its time alone would not tell what was still unread.
            with suppress(SourceError):
                source = self._succession.next(None)
        if source is not None:
            self._take(source)
        self._current = source
        return notices

    def read(self) -> Step | None:
        """The next thing to know, after one bounded step; None if there is nothing right now.

        A segment's bytes follow on those handed out before from that file. Raises `SourceError` if
        a file may not be read; the same call may then be repeated.
        """
        if not self._outbox:
            try:
                self._step()
            except OSError as error:
                raise source_error(self._live, error) from error
        self._current = self._tail.source if self._tail is not None else None
        if not self._outbox:
            return None
        # Bytes of the file before, handed out now or still to be, come before the tail's position:
        # they may not be sealed yet when a record is.
        for step, file in self._outbox:
            if isinstance(step, Segment) and step.source is file:
                self._current = file
                break
        return self._outbox.popleft()[0]

    @property
    def settling(self) -> bool:
        """Whether nothing is read for a moment although there may be more: see rule 6."""
        return self._settling is not None

    def flush(self) -> Segment | None:
        """The partial last line of the file being read, for one who will not wait for its end."""
        return self._tail.torn() if self._tail is not None else None

    def current(self) -> SourceFile | None:
        """The file whose position a manifest must carry: all before its `end` was handed out.

        It belongs to what `read` returned last, not to what it has seen beyond that. It bears its
        newest name, however long ago that was: a reader that is held up is overtaken by rotations.
        """
        if self._current is not None:
            with suppress(SourceError):
                self._succession.note_rotation(self._current)
        return self._current

    def close(self) -> None:
        """Close every file that was not handed over with a `Finished`."""
        owned = list(self._coming)
        owned.extend(step.source for step, _ in self._outbox if isinstance(step, Finished))
        if self._tail is not None:
            owned.append(self._tail.source)
        for source in owned:
            source.close()
        self._lingering.close()
        self._succession.close()
        self._coming.clear()
        self._outbox.clear()
        self._tail = None

    # -- one step -----------------------------------------------------------------------------

    def _step(self) -> None:
        tail = self._tail
        if tail is not None and self._read_on(tail):
            return
        if not self._coming:
            if tail is not None and self._succession.is_live(tail.source):
                self._give(*self._lingering.poll(self._read_bytes))
                return
            if not self._find_next(tail):
                if tail is not None:
                    self._give(self._absence.of_successor(tail.source))
                self._give(*self._lingering.poll(self._read_bytes))
                return
            # Rule 2: now that F's successor was seen, F is read to its end once more.
            if tail is not None and self._read_on(tail):
                return
        self._move(tail)
        if not self._outbox:
            self._step()

    def _read_on(self, tail: Tail) -> bool:
        """Read F once. False if it has nothing more to give and it is time to look further."""
        segment = tail.pull(self._read_bytes)
        if segment is not None:
            self._give(segment)
            self._succession.note_rotation(tail.source)
            return True
        match tail.source.state:
            case State.SOUND:
                return False
            case State.TRUNCATED | State.SHORTENED:
                self._truncated(tail)
                return True
            case State.CUT_SHORT:
                return self._cut_short(tail)
            case State.CORRUPT:
                self._report_incomplete(tail.source, "cannot be decoded any further")
                return False

    def _find_next(self, tail: Tail | None) -> bool:
        source = tail.source if tail is not None else None
        successor = self._succession.next(source)
        if source is not None:
            self._give(self._absence.of_name(source))
        self._give(*self._succession.notices())
        if successor is not None:
            self._coming.append(successor)
        return successor is not None

    def _move(self, tail: Tail | None) -> None:
        """Leave F for good; whatever it has not handed out comes first."""
        if tail is not None:
            self._give(tail.torn())
        self._take(self._coming.popleft())
        if tail is None:
            return
        # Without a stamp it was not rotated by the API server, which may still write to it.
        if tail.source.was_live and tail.source.stamp is None:
            self._give(*self._lingering.add(tail))
        else:
            self._give(Finished(tail.source, tail.source.was_live))

    def _give(self, *steps: Step | None) -> None:
        current = self._tail.source if self._tail is not None else None
        self._outbox.extend((step, current) for step in steps if step is not None)

    def _take(self, source: SourceFile) -> None:
        self._tail = Tail(source, self._line_bytes)
        self._settling = None

    # -- rule 4 -------------------------------------------------------------------------------

    def _truncated(self, tail: Tail) -> None:
        old = tail.source
        new = old.next_generation()
        self._succession.note_rotation(new)
        what = (
            f"{shown(old.path)} (inode {old.inode}) was truncated after byte {old.offset} was read"
        )
        copy = None
        if old.state is State.SHORTENED:
            start = known_length(new.chunks(), from_ns(old.written_ns)) or 0
            new.seek(start)
            what += f"; what is left starts the same, and reading goes on at byte {start}"
        else:
            self._succession.skip_copies(old)
            copy = rest_in_copy(old, tail.handed, live=self._live)
            if copy is not None:
                what += f"; the rest of its old content is read from {shown(copy.path)}"
        self._give(notice("source-truncated", what), tail.torn() if copy is None else None)
        self._coming.appendleft(new)
        self._take(copy if copy is not None else self._coming.popleft())
        self._give(Finished(old, was_live=False))

    # -- rule 6 -------------------------------------------------------------------------------

    def _cut_short(self, tail: Tail) -> bool:
        """Whether to stay with a gzip file that ends early."""
        old = tail.source
        plain = open_source(old.path.with_name(old.path.name.removesuffix(GZIP)), live=self._live)
        if plain is not None:
            if plain.head_bytes.startswith(old.head_bytes) and plain.seek(tail.handed):
                self._take(plain)
                self._give(Finished(old, was_live=False))
                return True
            plain.close()
        signature, now = old.signature(), self._monotonic()
        if self._settling is None or self._settling[0] != signature:
            self._settling = signature, now
        if now - self._settling[1] < SETTLE_SECONDS:
            return True
        self._report_incomplete(tail.source, "ends before its end mark")
        return False

    def _report_incomplete(self, source: SourceFile, what: str) -> None:
        if self._incomplete is source:
            return
        self._incomplete = source
        detail = (
            f"{shown(source.path)} (inode {source.inode}) {what}: of its content {source.offset} "
            "bytes could be read, and what follows them is missing"
        )
        self._give(notice("gap", detail))
