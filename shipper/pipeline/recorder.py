"""The end of the collect side: content -> seal -> spool, one record after the other.

The head moves only once the spool has returned. Alerts are durable before their record is, and told
only after it. A disk that refuses is asked again; a clock that jumped is sealed first. Reads no log
and decides nothing about batches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import UNSET, UnsetType, structs

from shipper.backoff import Backoff
from shipper.clock import Clock
from shipper.errors import SpoolError
from shipper.logs import Logger
from shipper.model import Agent, Alerts, Evidence, Notice, Record, SourceSpan, Timestamp
from shipper.pipeline.guard import InForce
from shipper.pipeline.policies import Policies
from shipper.pipeline.progress import Progress
from shipper.pipeline.remark import remark
from shipper.pipeline.start import Start
from shipper.seal import layout
from shipper.seal.sealer import Content, Head, seal
from shipper.seal.signer import Signer
from shipper.spool.spool import Spool
from shipper.tell.alert import alerts_of
from shipper.tell.outbox import Outbox

CLOCK_STEP_SECONDS = 1.0
"""How far the wall clock may move against the monotonic one between two records."""


class Recorder:
    """Seals and commits. For the collect thread alone; `give_up` may be set from any."""

    def __init__(
        self,
        spool: Spool,
        start: Start,
        *,
        agent: Agent,
        signer: Signer,
        lock_required: bool,
        clock: Clock,
        logger: Logger,
        progress: Progress,
        committed: Callable[[int], object],
        disk_patience: float,
        outbox: Outbox | None = None,
        policies: Policies | None = None,
    ) -> None:
        """`committed` is called with each record's number; after `disk_patience` seconds of a disk
        that refuses, or once `give_up` is set, `record` raises `SpoolError`."""
        self._spool = spool
        self.agent = agent
        self._signer = signer
        self._lock_required = lock_required
        self._clock = clock
        self._logger = logger
        self._progress = progress
        self._committed = committed
        self._disk_patience = disk_patience
        self._outbox = outbox
        self._policies = policies
        self._head = start.head
        self._position = list(start.sources)
        self._last = start.newest.time if start.newest else None
        self.sealed_ns = clock.now().monotonic_ns
        self.refused_since: Timestamp | None = None
        self.give_up = threading.Event()

    @property
    def next_seq(self) -> int:
        """The sequence number of the next record."""
        return self._head.seq

    def under(self, in_force: InForce) -> None:
        """From here on records are sealed under this configuration and these rules."""
        self.agent = structs.replace(
            self.agent,
            config_sha256=in_force.config_sha256,
            rules_sha256=in_force.rules_sha256 or UNSET,
            policies_sha256=self._policies_sha256(),
        )

    def _policies_sha256(self) -> str | UnsetType:
        return (self._policies.sha256 if self._policies else None) or UNSET

    def position(self) -> list[SourceSpan]:
        """Where the newest record left off, as a record that reads nothing says it."""
        return [span_at_end(span) for span in self._position[-1:]]

    def record(self, content: Content) -> None:
        """Seal `content` and make it durable."""
        now = self._clock.now()
        step = self._clock_step(now)
        if step is not None:
            self._logger.warning("clock_step", detail=step.detail)
            # Not where the reader is: if this is the last that survives, the batch is read again.
            self._commit(Content(kind="notice", notice=step, sources=self.position()), now)
        self._commit(content, now)

    def _commit(self, content: Content, now: Timestamp) -> None:
        if content.batch is not None:  # its events alone change the policies
            self.agent = structs.replace(self.agent, policies_sha256=self._policies_sha256())
        record, head = seal(
            self._head,
            content,
            now=now,
            agent=self.agent,
            signer=self._signer,
            lock_required=self._lock_required,
        )
        alerts = _alerts(record, head, content, now) if self._outbox else None
        self._write(record, alerts, now, judged=content.batch is not None)
        self._head = head
        self._position = list(content.sources)
        self._last = now
        self.sealed_ns = now.monotonic_ns
        self._progress.sealed(record, content, now.wall, head.prev)
        self._progress.pending = self._spool.pending()
        self._logger.debug("record_sealed", seq=record.seq, kind=content.kind)
        self._committed(record.seq)

    def _write(
        self, record: Record, alerts: Alerts | None, now: Timestamp, *, judged: bool
    ) -> None:
        """Commit, again and again while the disk refuses; nothing is read meanwhile.

        `judged`: the record's events may have changed the policies, which go before it.
        """
        backoff = Backoff()
        patience = self._disk_patience
        while True:
            self._put(alerts)
            try:
                if judged and self._policies is not None:
                    self._policies.keep(record.seq)
                self._spool.commit(record)
                break
            except OSError as error:
                self._progress.turns += 1  # waiting for the disk is not hanging
                self._progress.disk_trouble = str(error)
                delay = backoff.delay()
                patience -= delay
                self._logger.error(  # noqa: TRY400 the disk's answer is the message
                    "spool_write_failed", seq=record.seq, error=str(error), retry_seconds=delay
                )
                self.refused_since = self.refused_since or now
                if patience < 0 or self.give_up.wait(delay):
                    raise SpoolError(
                        f"record {record.seq} could not be written to the spool: {error}",
                        remedy="nothing is lost: its lines are still in the audit log;"
                        " mend the disk and start again",
                    ) from error
        if self._policies is not None:
            self._policies.forget(record.seq)

    def _put(self, alerts: Alerts | None) -> None:
        """A disk that takes no alerts holds up no record: they are in memory then, and told."""
        if alerts is None or self._outbox is None:
            return
        try:
            self._outbox.put(alerts)
        except OSError as error:
            self._logger.error(  # noqa: TRY400 the disk's answer is the message
                "alerts_not_durable", seq=alerts.evidence.seq, error=str(error)
            )

    def _clock_step(self, now: Timestamp) -> Notice | None:
        last = self._last
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


def _alerts(record: Record, head: Head, content: Content, now: Timestamp) -> Alerts | None:
    """What `record` gives cause to tell; `head` is the one after it."""
    findings = [*content.findings, *remark(content.notice, now.wall)]
    if not findings:
        return None
    evidence = Evidence(
        log=head.log,
        seq=record.seq,
        manifest_sha256=head.prev,
        manifest_key=layout.log_prefix(head.log) + record.manifest.key,
        sealed_at=now.wall,
    )
    return alerts_of(evidence, findings)


def span_at_end(span: SourceSpan) -> SourceSpan:
    """The position after `span`, with nothing read."""
    return structs.replace(span, start=span.end)
