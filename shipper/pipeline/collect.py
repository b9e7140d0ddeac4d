"""The collect side: audit file -> lines -> batch -> recorder, one bounded step at a time.

Blocking code for one thread at a time. It never waits for the store. After a crash everything
since the newest record is read again.
"""

from __future__ import annotations

import threading
from collections import deque

from msgspec import UNSET, UnsetType

from shipper.audit.event import EMPTY, merge
from shipper.audit.follow import Finished, Follower, Segment
from shipper.batch import cutter
from shipper.batch.builder import BatchBuilder
from shipper.clock import Clock
from shipper.config import Config
from shipper.errors import SourceError
from shipper.heap import give_back
from shipper.logs import Logger
from shipper.model import (
    Agent,
    Counted,
    EventRange,
    Finding,
    Kind,
    Notice,
    SourceSpan,
    Supersedes,
    Timestamp,
)
from shipper.pipeline.guard import Guard, is_urgent
from shipper.pipeline.progress import Progress
from shipper.pipeline.recorder import Recorder
from shipper.pipeline.start import Start
from shipper.seal import merkle
from shipper.seal.findings import size_bytes
from shipper.seal.sealer import Content
from shipper.spool.spool import Spool

RESUME_SHARE = 0.9
"""A full spool takes bytes again at this share of its limit, so that it does not flap."""


class Collector:
    """Reads and cuts batches. Use from one thread at a time; `stop` may be set from any."""

    def __init__(
        self,
        follower: Follower,
        recorder: Recorder,
        spool: Spool,
        start: Start,
        *,
        config: Config,
        guard: Guard,
        clock: Clock,
        logger: Logger,
        progress: Progress,
    ) -> None:
        self._follower = follower
        self._recorder = recorder
        self._spool = spool
        self._start = start
        self._config = config
        self._guard = guard
        self._clock = clock
        self._logger = logger
        self._progress = progress
        self._batch: BatchBuilder | None = None
        self._scan = EMPTY
        self._findings: list[Finding] = []
        self._findings_bytes = 0
        self._full_since: Timestamp | None = None
        self._told: deque[Notice] = deque()
        progress.rule_seconds = guard.costs.seconds
        self.stop = threading.Event()

    def begin(self) -> None:
        """Find the place in the audit log; seal the genesis of a new log, and what has changed."""
        newest = self._start.newest
        notices = self._follower.start(
            self._start.sources, self._start.since.wall if self._start.since else None
        )
        if newest is None:
            self._seal(kind="genesis", supersedes=self._start.supersedes)
        for notice in notices:
            self._notice(notice)
        if newest is not None:
            self._tell_changes(newest.agent)

    def step(self) -> bool:
        """Read until there is nothing more, or `stop`; seal what is due. True if it read."""
        before = self._progress.bytes_read
        if self._guard.is_proposed:
            self._renew_rules()
        self._progress.turns += 1
        self._seal_told()
        while not self.stop.is_set() and self.may_read():
            self._progress.turns += 1
            try:
                item = self._follower.read()
            except SourceError:
                self._seal_due()  # silence is evidence, also where nothing can be read
                raise
            if item is None:
                self._progress.ends += not self._follower.settling
                break
            if isinstance(item, Segment):
                self._add(item)
            elif isinstance(item, Finished):
                self._finished(item)
            else:
                self._notice(item)
            self._seal_due()
        self._seal_due()
        return self._progress.bytes_read > before

    def tell(self, notice: Notice) -> None:
        """Seal this at the next step. May be called from any thread."""
        self._told.append(notice)

    @property
    def held_up(self) -> bool:
        """Whether reading waits for room in the spool."""
        return self._stopped_since() is not None

    def flush(self) -> None:
        """Take the torn last line of the live file too, and seal what is there."""
        tail = self._follower.flush()
        if tail is not None:
            self._add(tail)
        self._seal_batch()

    def end(self) -> None:
        """Seal what was read and what was told, and the shutdown."""
        self._seal_batch()
        self._seal_told()
        since = self._stopped_since()
        if since is not None:
            self._spool_was_full(since, "reading had not begun again at the shutdown")
        self._seal(kind="shutdown")

    def close(self) -> None:
        """Let go of the files; nothing is sealed."""
        self._follower.close()

    def wait_seconds(self) -> float:
        """How long the next `step` may wait without sealing something late."""
        now = self._clock.now().monotonic_ns
        if self._batch is not None:
            due = self._batch.opened_ns + round(self._config.batch.max_age * 1e9)
        else:
            due = self._recorder.sealed_ns + round(self._config.batch.heartbeat * 1e9)
        return max(0.0, (due - now) / 1e9)

    # ---- from segments to batches

    def _add(self, segment: Segment) -> None:
        data = segment.data
        self._progress.bytes_read += len(data)
        while data:
            batch = self._batch
            if batch is None:
                opened = self._clock.now().monotonic_ns
                batch = self._batch = BatchBuilder(opened_ns=opened)
                self._progress.batch_opened_ns = opened
            room_bytes = self._config.batch.max_bytes - batch.raw_size
            room_lines = cutter.MAX_LINES - len(batch.leaves)
            taken = cutter.fitting(data, room_bytes=room_bytes, empty=not batch.raw_size)
            if not taken or not room_lines:
                self._seal_batch()
                continue
            lines, taken = cutter.lines_of(data[:taken], room_lines=room_lines)
            seen = self._guard.look(
                lines,
                first_line=len(batch.leaves),
                room_bytes=cutter.MAX_FINDINGS_BYTES - self._findings_bytes,
                alive=self._turned,
            )
            if seen.lines < len(lines):
                lines = lines[: seen.lines]
                taken = sum(map(len, lines)) + len(lines)
            piece, data = data[:taken], data[taken:]
            batch.add(segment.source, piece, merkle.leaf_hashes(lines))
            self._scan = merge(self._scan, seen.scan)
            self._progress.events += len(lines)
            self._progress.audit_events += len(lines) - seen.scan.malformed
            self._findings += seen.findings
            self._findings_bytes += size_bytes(seen.findings)
            self._progress.rules_seconds = self._guard.seconds
            urgent = is_urgent(seen.findings, self._config.batch.urgent_severity)
            if urgent or self._findings_are_full():
                self._seal_batch(unterminated=not data and not segment.terminated)
        if not segment.terminated or self._is_full():
            self._seal_batch(unterminated=not segment.terminated)

    def _turned(self) -> None:
        self._progress.turns += 1

    def _is_full(self) -> bool:
        return self._batch is not None and (
            self._batch.raw_size >= self._config.batch.max_bytes
            or self._batch.sources >= cutter.MAX_SOURCES
        )

    def _findings_are_full(self) -> bool:
        return (
            len(self._findings) >= cutter.MAX_FINDINGS
            or self._findings_bytes >= cutter.MAX_FINDINGS_BYTES
        )

    def _finished(self, finished: Finished) -> None:
        """The reader has left a file: had somebody changed it behind the reader?"""
        source = finished.source
        if finished.was_live and not source.unchanged():
            self._notice(
                Notice(
                    reason="source-edited",
                    detail=f"{source.path} (inode {source.inode}) was changed after its first"
                    f" {source.end} bytes had been read; the archive holds them as they were",
                )
            )
        source.close()

    def _seal_told(self) -> None:
        while self._told:
            self._notice(self._told.popleft())

    def _notice(self, notice: Notice) -> None:
        self._seal_batch()
        self._logger.warning(
            "source_notice", reason=notice.reason, detail=notice.detail, seq=self._recorder.next_seq
        )
        self._seal(kind="notice", notice=notice)

    def may_read(self) -> bool:
        """Whether the spool has room; says so in the log and, once it has again, in the record."""
        limit, size = self._config.spool.max_bytes, self._spool.size_bytes
        since = self._stopped_since()
        if since is None:
            if size < limit:
                return True
            self._full_since = self._clock.now()
            self._progress.spool_full = True
            self._logger.error("spool_full", bytes=size, limit=limit)
            return False
        if size > RESUME_SHARE * limit:
            return False
        self._seal_batch()
        self._spool_was_full(since, "reading goes on")
        return True

    def _stopped_since(self) -> Timestamp | None:
        """Since when the spool, or the disk under it, has taken nothing."""
        return self._full_since or self._recorder.refused_since

    def _spool_was_full(self, since: Timestamp, then: str) -> None:
        detail = f"the spool was full from {since.wall:%Y-%m-%dT%H:%M:%SZ}, reading stopped; {then}"
        self._logger.warning("spool_was_full", since=since.wall.isoformat())
        self._full_since = self._recorder.refused_since = None
        self._progress.spool_full = False
        self._seal(kind="notice", notice=Notice(reason="spool-full", detail=detail))

    # ---- from batches to the spool

    def _seal_due(self) -> None:
        now_ns = self._clock.now().monotonic_ns
        if self._batch is not None:
            if cutter.due(
                now_ns=now_ns,
                opened_ns=self._batch.opened_ns,
                max_age_seconds=self._config.batch.max_age,
            ):
                self._seal_batch()
        elif cutter.due(
            now_ns=now_ns,
            opened_ns=self._recorder.sealed_ns,
            max_age_seconds=self._config.batch.heartbeat,
        ):
            self._seal(kind="heartbeat", apiserver=self._counted())

    def _seal_batch(self, *, unterminated: bool = False) -> None:
        if self._batch is None:
            return
        found, self._scan = self._scan, EMPTY
        findings, self._findings, self._findings_bytes = self._findings, [], 0
        range_ = None
        if found.min_time is not None and found.max_time is not None:
            range_ = EventRange(
                first_audit_id=found.first_audit_id or "",
                last_audit_id=found.last_audit_id or "",
                min_time=found.min_time,
                max_time=found.max_time,
            )
        batch, spans = self._batch.finish(
            unterminated=unterminated, range_=range_, malformed_lines=found.malformed
        )
        self._batch = None
        self._recorder.record(
            Content(
                kind="batch",
                batch=batch,
                findings=findings,
                sources=self._positions(spans),
                apiserver=self._counted(),
            )
        )
        self._progress.batch_opened_ns = None

    # ---- what is in force

    def _renew_rules(self) -> None:
        """The batch in the making was judged by the old rules, and is sealed under their hash."""
        self._seal_batch()
        before = self._recorder.agent
        self._guard.renew()
        give_back()
        self._recorder.under(self._guard.in_force)
        self._progress.under(self._guard.in_force)
        self._tell_changes(before)

    def _tell_changes(self, before: Agent) -> None:
        now = self._recorder.agent
        changes = [
            f"{what} {_short(old)} replaced by {_short(new)}"
            for what, old, new in (
                ("configuration", before.config_sha256, now.config_sha256),
                ("rules", before.rules_sha256, now.rules_sha256),
                ("policies", before.policies_sha256, now.policies_sha256),
            )
            if old != new
        ]
        if changes:
            self._seal(
                kind="notice", notice=Notice(reason="config-changed", detail="; ".join(changes))
            )

    def _seal(
        self,
        *,
        kind: Kind,
        notice: Notice | None = None,
        supersedes: Supersedes | UnsetType = UNSET,
        apiserver: Counted | UnsetType = UNSET,
    ) -> None:
        self._recorder.record(
            Content(
                kind=kind,
                notice=notice,
                sources=self._positions([]),
                supersedes=supersedes,
                apiserver=apiserver,
            )
        )

    def _counted(self) -> Counted | UnsetType:
        """What the API server has said since the last record that could carry it."""
        counted, self._progress.counted = self._progress.counted, None
        return counted or UNSET

    def _positions(self, touched: list[SourceSpan]) -> list[SourceSpan]:
        """What was read, and last the file being followed: a restart knows no other place."""
        current = self._follower.current()
        if current is not None:
            here = current.span(current.end)
            if not touched or (touched[-1].inode, touched[-1].end) != (here.inode, here.end):
                return [*touched, here]
        return touched or self._recorder.position()


def _short(digest: str | UnsetType) -> str:
    return "none" if isinstance(digest, UnsetType) else digest[:16]
