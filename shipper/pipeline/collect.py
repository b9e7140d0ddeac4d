"""The collect side: audit file -> lines -> batch -> seal -> spool, one bounded step at a time.

Blocking code for one thread of its own. It never waits for the store. The head moves only once
the spool has returned; after a crash everything since the newest record is read again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from msgspec import UNSET, UnsetType

from shipper.audit import event
from shipper.audit.follow import Finished, Follower, Segment
from shipper.batch import cutter
from shipper.batch.builder import BatchBuilder
from shipper.clock import Clock
from shipper.config import Config
from shipper.errors import SourceError, SpoolError
from shipper.logs import Logger
from shipper.model import Agent, EventRange, Kind, Notice, Record, SourceSpan, Supersedes, Timestamp
from shipper.pipeline.progress import Progress
from shipper.pipeline.start import Start
from shipper.seal import merkle
from shipper.seal.sealer import Content, seal
from shipper.seal.signer import Signer
from shipper.spool.spool import Spool
from shipper.store.retrying import Backoff

CLOCK_STEP_SECONDS = 1.0
"""How far the wall clock may move against the monotonic one between two records."""

RESUME_SHARE = 0.9
"""A full spool takes bytes again at this share of its limit, so that it does not flap."""


class Collector:
    """Reads, seals and commits. Use from one thread; `stop` may be set from any."""

    def __init__(
        self,
        follower: Follower,
        spool: Spool,
        start: Start,
        *,
        config: Config,
        agent: Agent,
        signer: Signer,
        clock: Clock,
        logger: Logger,
        progress: Progress,
        committed: Callable[[], object],
        disk_patience: float,
    ) -> None:
        self._follower = follower
        self._spool = spool
        self._start = start
        self._head = start.head
        self._config = config
        self._agent = agent
        self._signer = signer
        self._clock = clock
        self._logger = logger
        self._progress = progress
        self._committed = committed
        self._disk_patience = disk_patience
        self._compressing = ThreadPoolExecutor(1, thread_name_prefix="compress")
        self._batch: BatchBuilder | None = None
        self._scan = event.EMPTY
        self._sealed_time = start.newest.time if start.newest else None
        self._sealed_ns = clock.now().monotonic_ns
        self._position: list[SourceSpan] = list(start.sources)
        self._full_since: Timestamp | None = None
        self.stop = threading.Event()
        self.give_up = threading.Event()

    def begin(self) -> None:
        """Find the place in the audit log; seal the genesis of a new log, and what has changed."""
        newest = self._start.newest
        notices = self._follower.start(
            self._start.sources, self._start.since.wall if self._start.since else None
        )
        if newest is None:
            self._seal(kind="genesis", supersedes=self._start.supersedes)
        elif newest.agent.config_sha256 != self._agent.config_sha256:
            self._seal(
                kind="notice",
                notice=Notice(
                    reason="config-changed",
                    detail=f"configuration {newest.agent.config_sha256[:16]} was replaced by"
                    f" {self._agent.config_sha256[:16]}",
                ),
            )
        for notice in notices:
            self._notice(notice)

    def step(self) -> bool:
        """Read until there is nothing more, or `stop`; seal what is due. True if it read."""
        before = self._progress.bytes_read
        while not self.stop.is_set() and self.may_read():
            try:
                item = self._follower.read()
            except SourceError:
                self._seal_due()  # silence is evidence, also where nothing can be read
                raise
            if item is None:
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

    @property
    def held_up(self) -> bool:
        """Whether reading waits for room in the spool."""
        return self._full_since is not None

    def flush(self) -> None:
        """Take the torn last line of the live file too, and seal what is there."""
        tail = self._follower.flush()
        if tail is not None:
            self._add(tail)
        self._seal_batch()

    def end(self) -> None:
        """Seal what was read, and the shutdown."""
        self._seal_batch()
        if self._full_since is not None:
            self._spool_was_full(self._full_since, "reading had not begun again at the shutdown")
        self._seal(kind="shutdown")

    def close(self) -> None:
        """Let go of files and threads; nothing is sealed."""
        self._compressing.shutdown()
        self._follower.close()

    def wait_seconds(self) -> float:
        """How long the next `step` may wait without sealing something late."""
        now = self._clock.now().monotonic_ns
        if self._batch is not None:
            due = self._batch.opened_ns + round(self._config.batch.max_age * 1e9)
        else:
            due = self._sealed_ns + round(self._config.batch.heartbeat * 1e9)
        return max(0.0, (due - now) / 1e9)

    # ---- from segments to batches

    def _add(self, segment: Segment) -> None:
        data = segment.data
        self._progress.bytes_read += len(data)
        while data:
            batch = self._batch
            if batch is None:
                opened = self._clock.now().monotonic_ns
                batch = self._batch = BatchBuilder(self._compressing, opened_ns=opened)
            room = self._config.batch.max_bytes - batch.raw_size
            taken = cutter.split(
                data,
                room_bytes=room,
                room_lines=cutter.MAX_LINES - len(batch.leaves),
                empty=not batch.raw_size,
            )
            if not taken:
                self._seal_batch()
                continue
            piece, data = (data, b"") if taken == len(data) else (data[:taken], data[taken:])
            lines = piece.split(b"\n")
            if not lines[-1]:
                lines.pop()
            batch.add(segment.source, piece, merkle.leaf_hashes(lines))
            self._scan = event.merge(self._scan, event.scan(lines))
            self._progress.events += len(lines)
        if not segment.terminated or self._is_full():
            self._seal_batch(unterminated=not segment.terminated)

    def _is_full(self) -> bool:
        return self._batch is not None and (
            self._batch.raw_size >= self._config.batch.max_bytes
            or self._batch.sources >= cutter.MAX_SOURCES
        )

    def _finished(self, finished: Finished) -> None:
        """The reader has left a file: had somebody changed it behind the reader?"""
        if self._batch is not None:
            self._batch.settle()
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

    def _notice(self, notice: Notice) -> None:
        self._seal_batch()
        self._logger.warning(
            "source_notice", reason=notice.reason, detail=notice.detail, seq=self._head.seq
        )
        self._seal(kind="notice", notice=notice)

    def may_read(self) -> bool:
        """Whether the spool has room; says so in the log and, once it has again, in the record."""
        limit = self._config.spool.max_bytes
        if self._full_since is None:
            if self._spool.size_bytes < limit:
                return True
            self._full_since = self._clock.now()
            self._logger.error("spool_full", bytes=self._spool.size_bytes, limit=limit)
            return False
        if self._spool.size_bytes > RESUME_SHARE * limit:
            return False
        self._seal_batch()
        self._spool_was_full(self._full_since, "reading goes on")
        self._full_since = None
        return True

    def _spool_was_full(self, since: Timestamp, then: str) -> None:
        detail = f"the spool was full from {since.wall:%Y-%m-%dT%H:%M:%SZ}, reading stopped; {then}"
        self._logger.warning("spool_was_full", since=since.wall.isoformat())
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
            opened_ns=self._sealed_ns,
            max_age_seconds=self._config.batch.heartbeat,
        ):
            self._seal(kind="heartbeat")

    def _seal_batch(self, *, unterminated: bool = False) -> None:
        if self._batch is None:
            return
        found, self._scan = self._scan, event.EMPTY
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
        self._commit(Content(kind="batch", batch=batch, sources=self._positions(spans)))

    def _seal(
        self,
        *,
        kind: Kind,
        notice: Notice | None = None,
        supersedes: Supersedes | UnsetType = UNSET,
    ) -> None:
        self._commit(
            Content(
                kind=kind,
                notice=notice,
                sources=self._positions([]),
                supersedes=supersedes,
            )
        )

    def _positions(self, touched: list[SourceSpan]) -> list[SourceSpan]:
        """What was read, and last the file being followed: a restart knows no other place."""
        current = self._follower.current()
        if current is not None:
            here = current.span(current.end)
            if not touched or (touched[-1].inode, touched[-1].end) != (here.inode, here.end):
                touched = [*touched, here]
        return touched or self._sealed_position()

    def _sealed_position(self) -> list[SourceSpan]:
        """Where the newest record left off, as a record that reads nothing says it."""
        return [span_at_end(span) for span in self._position[-1:]]

    def _commit(self, content: Content) -> None:
        now = self._clock.now()
        step = self._clock_step(now)
        if step is not None:
            self._logger.warning("clock_step", detail=step.detail)
            # Not where the reader is: if this is the last that survives, the batch is read again.
            sources = self._sealed_position()
            self._record(Content(kind="notice", notice=step, sources=sources), now)
        self._record(content, now)

    def _record(self, content: Content, now: Timestamp) -> None:
        record, head = seal(self._head, content, now=now, agent=self._agent, signer=self._signer)
        self._write(record, now)
        self._head = head
        self._position = list(content.sources)
        self._sealed_time = now
        self._sealed_ns = now.monotonic_ns
        self._progress.sealed_seq = record.seq
        self._progress.head = head.prev
        self._progress.pending = self._spool.pending()
        self._logger.debug("record_sealed", seq=record.seq, kind=content.kind)
        self._committed()

    def _write(self, record: Record, now: Timestamp) -> None:
        """Commit, again and again while the disk refuses; nothing is read meanwhile."""
        backoff = Backoff()
        patience = self._disk_patience
        while True:
            try:
                return self._spool.commit(record)
            except OSError as error:
                delay = backoff.delay()
                patience -= delay
                self._logger.error(  # noqa: TRY400 the disk's answer is the message
                    "spool_write_failed", seq=record.seq, error=str(error), retry_seconds=delay
                )
                self._full_since = self._full_since or now
                if patience < 0 or self.give_up.wait(delay):
                    raise SpoolError(
                        f"record {record.seq} could not be written to the spool: {error}",
                        remedy="nothing is lost: its lines are still in the audit log;"
                        " mend the disk and start again",
                    ) from error

    def _clock_step(self, now: Timestamp) -> Notice | None:
        last = self._sealed_time
        if last is None:
            return None
        moved = (now.wall - last.wall).total_seconds()
        if now.boot_id == last.boot_id:
            moved -= (now.monotonic_ns - last.monotonic_ns) / 1e9
            stepped = abs(moved) > CLOCK_STEP_SECONDS
        else:
            stepped = moved < -CLOCK_STEP_SECONDS
        if not stepped:
            return None
        detail = f"the wall clock moved by {moved:+.3f} s since record {self._head.seq - 1}"
        return Notice(reason="clock-step", detail=detail)


def span_at_end(span: SourceSpan) -> SourceSpan:
    """The position after `span`, with nothing read."""
    return SourceSpan(
        path=span.path,
        device=span.device,
        inode=span.inode,
        head=span.head,
        start=span.end,
        end=span.end,
        prefix_sha256=span.prefix_sha256,
    )
