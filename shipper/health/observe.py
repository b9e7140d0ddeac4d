"""Looks at the running daemon's parts: its counts, its spool, its receivers. Changes nothing.

The disk is asked in a thread and with a deadline: where it hangs, what it last said is shown.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from heapq import nlargest
from typing import NamedTuple

from msgspec import structs

from shipper import __version__
from shipper.clock import Clock
from shipper.config import Config
from shipper.errors import FormatError, SpoolError, StoreError
from shipper.health.judge import troubles
from shipper.health.status import FindingCount, Found, Receiver, Status
from shipper.model import Timestamp
from shipper.pipeline.progress import Progress
from shipper.seal import note
from shipper.seal.manifest import decode_manifest
from shipper.spool.spool import Spool
from shipper.store.attempts import Attempts
from shipper.tell.outbox import Outbox
from shipper.tell.tally import Tally

DISK_SECONDS = 1.0

MOST_RULES = 20
"""Rules whose cost is shown, the costliest: there may be thousands."""


class _Disk(NamedTuple):
    """What only the disk knows: when record `oldest` was sealed, and whether there is a log."""

    oldest: int | None = None
    sealed_at: datetime | None = None
    source_found: bool = True


class Observer:
    """For one event loop. `tell` who is alerted once that is known."""

    def __init__(self, config: Config, progress: Progress, spool: Spool, *, clock: Clock) -> None:
        self._config = config
        self._progress = progress
        self._spool = spool
        self._clock = clock
        self._began = clock.now()
        self._disk = _Disk()
        self._attempts = Attempts()
        self._outbox: Outbox | None = None
        self._tallies: Sequence[Tally] = ()

    def tell(self, outbox: Outbox | None, tallies: Sequence[Tally]) -> None:
        """These are the receivers of alerts."""
        self._outbox, self._tallies = outbox, tallies

    @property
    def progress(self) -> Progress:
        """The counts as they are now."""
        return self._progress

    async def look(self) -> Status:
        """How the daemon is doing."""
        with suppress(StoreError):  # it hangs
            self._disk = await self._attempts.run(self._ask_disk, within_seconds=DISK_SECONDS)
        status = self._status(self._clock.now())
        return structs.replace(status, troubles=troubles(status))

    def _ask_disk(self) -> _Disk:
        known, oldest = self._disk, self._spool.oldest_pending()
        sealed_at = known.sealed_at if oldest == known.oldest else None
        if oldest is not None and sealed_at is None:
            with suppress(OSError, SpoolError, FormatError):  # it was shipped just now
                kept = self._spool.kept(oldest)
                sealed_at = decode_manifest(note.parse(kept.manifest.body).text).time.wall
        return _Disk(oldest, sealed_at, os.path.lexists(self._config.source.path))

    def _status(self, now: Timestamp) -> Status:
        config, progress, wall = self._config, self._progress, now.wall
        sealed_at, opened_ns = progress.sealed_at, progress.batch_opened_ns
        return Status(
            version=__version__,
            log=progress.log,
            running=True,
            up_seconds=(now.monotonic_ns - self._began.monotonic_ns) / 1e9,
            ready=progress.ready,
            stopping=progress.stopping,
            source=config.source.path,
            source_found=self._disk.source_found,
            source_trouble=progress.source_trouble,
            events_read=progress.events,
            bytes_read=progress.bytes_read,
            oldest_unsealed_seconds=(now.monotonic_ns - opened_ns) / 1e9 if opened_ns else 0.0,
            balances=progress.balances,
            events_failed=progress.events_failed,
            events_missing=progress.events_missing,
            events_gained=progress.events_gained,
            apiserver_trouble=progress.apiserver_trouble,
            head_seq=progress.sealed_seq,
            head_sha256=progress.head,
            sealed_at=sealed_at,
            sealed_seconds_ago=_age(sealed_at, wall),
            heartbeat_seconds=float(max(config.batch.heartbeat, config.batch.max_age)),
            events_sealed=progress.sealed_events,
            bytes_sealed=progress.sealed_bytes,
            malformed_lines=progress.malformed_lines,
            records=dict(progress.records),
            notices=dict(progress.notices),
            pending_records=self._spool.pending(),
            oldest_pending_seconds=_age(self._disk.sealed_at, wall) or 0.0,
            spool_bytes=self._spool.size_bytes,
            spool_limit_bytes=int(config.spool.max_bytes),
            spool_full=progress.spool_full,
            spool_trouble=progress.disk_trouble,
            store=config.store.url,
            store_state=progress.store_state,
            store_trouble=progress.trouble if progress.store_state != "ok" else "",
            store_weak=progress.weak,
            store_errors=dict(progress.store_errors),
            shipped_seq=progress.shipped_seq,
            shipped_at=progress.shipped_at,
            events_shipped=progress.shipped_events,
            bytes_shipped=progress.shipped_bytes,
            uploaded_bytes=progress.uploaded_bytes,
            config_sha256=progress.config_sha256,
            rules_sha256=progress.rules_sha256,
            rules=progress.rules,
            rules_seconds=progress.rules_seconds,
            rule_seconds=_costliest(dict(progress.rule_seconds)),
            reloads=dict(progress.reloads),
            reloaded_at=progress.reloaded_at,
            reload_result=progress.reload_result,
            reload_trouble=progress.reload_trouble,
            findings=[FindingCount(*key, n) for key, n in sorted(dict(progress.findings).items())],
            last_findings=[Found(seq, finding) for seq, finding in list(progress.recent)],
            alerts={tally.receiver: self._receiver(tally) for tally in self._tallies},
            alerts_dropped=self._outbox.dropped if self._outbox else 0,
        )

    def _receiver(self, tally: Tally) -> Receiver:
        if self._outbox is None:
            return Receiver()
        cursor = self._outbox.cursor(tally.receiver)
        return Receiver(
            told=cursor.told,
            held_back=cursor.held_back,
            dead=cursor.dead,
            failed=tally.failed,
            pending_records=self._outbox.pending(tally.receiver),
            trouble=tally.trouble,
        )


def _costliest(seconds: dict[str, float]) -> dict[str, float]:
    return {rule: seconds[rule] for rule in nlargest(MOST_RULES, seconds, key=seconds.__getitem__)}


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())
