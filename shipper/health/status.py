"""How the daemon is doing, as one value: page, `/status.json`, `/metrics` and `status` show it.

Holds no more than it was given, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shipper.health.troubles import Trouble
from shipper.model import Finding


class Found(msgspec.Struct, frozen=True):
    """A finding, and the record that it is sealed in."""

    seq: int
    finding: Finding


class FindingCount(msgspec.Struct, frozen=True):
    """How often a rule has found something since the start."""

    rule: str
    severity: str
    verdict: str
    mode: str
    count: int


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """One receiver of alerts. Alerts are counted since it was first configured; `failed` counts
    tries since the start. `trouble` is what the last try came to."""

    told: int = 0
    held_back: int = 0
    dead: int = 0
    failed: int = 0
    pending_records: int = 0
    trouble: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Ages in seconds, sizes in bytes, counts since the start, times in UTC.

    `running`: whether the daemon answers; None where it was not asked. `silence`:
    why it does not. `head_seq`, `shipped_seq`:
    -1 before the first record. `heartbeat_seconds`: after so long a record is due. `events` and
    `bytes` are those of the audit log; `uploaded_bytes` those of objects. `store_state`: `ok`,
    `failing`, `refused`, `stopped`; `reload_result`: `ok`, `refused`, `needs-restart`. `troubles`:
    what a person should do something about, most urgent first. `balances`: comparisons with the API
    server's counters; `events_failed`, `events_missing`, `events_gained`: what they have shown.
    `rule_seconds`: CPU of the costliest rules, estimated.
    """

    version: str
    log: str
    running: bool | None
    silence: str = ""
    up_seconds: float = 0.0
    ready: bool = False
    stopping: bool = False

    source: str
    source_found: bool = True
    source_trouble: str = ""
    events_read: int = 0
    bytes_read: int = 0
    oldest_unsealed_seconds: float = 0.0
    balances: int = 0
    events_failed: int = 0
    events_missing: int = 0
    events_gained: int = 0
    apiserver_trouble: str = ""

    head_seq: int
    head_sha256: str
    sealed_at: datetime | None
    sealed_seconds_ago: float | None
    heartbeat_seconds: float
    events_sealed: int = 0
    bytes_sealed: int = 0
    malformed_lines: int = 0
    records: dict[str, int] = {}
    notices: dict[str, int] = {}

    pending_records: int
    oldest_pending_seconds: float
    spool_bytes: int
    spool_limit_bytes: int
    spool_full: bool = False
    spool_trouble: str = ""

    store: str
    store_state: str = "ok"
    store_trouble: str = ""
    store_weak: str = ""
    store_errors: dict[str, int] = {}
    shipped_seq: int
    shipped_at: datetime | None = None
    events_shipped: int = 0
    bytes_shipped: int = 0
    uploaded_bytes: int = 0

    config_sha256: str = ""
    rules_sha256: str = ""
    rules: int = 0
    rules_seconds: float = 0.0
    rule_seconds: dict[str, float] = {}
    reloads: dict[str, int] = {}
    reloaded_at: datetime | None = None
    reload_result: str = ""
    reload_trouble: str = ""
    findings: Sequence[FindingCount] = ()
    last_findings: Sequence[Found] = ()
    alerts: dict[str, Receiver] = {}
    alerts_dropped: int = 0

    troubles: Sequence[Trouble] = ()
