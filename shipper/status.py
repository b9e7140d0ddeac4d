"""How the daemon is doing, as one value: for the status page, `/status.json` and `status`.

Judges from what it is given and says what a person should do now; asks nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from shipper.model import Finding

LATE_SEAL_FACTOR = 2.0
"""A record is due at every heartbeat; after twice that time something holds up the sealing."""

LATE_SHIP_SECONDS = 300.0


class Found(msgspec.Struct, frozen=True):
    """A finding, and the record that it is sealed in."""

    seq: int
    finding: Finding


class Teller(msgspec.Struct, frozen=True):
    """One receiver of alerts."""

    name: str
    sent: int = 0
    failed: int = 0
    held_back: int = 0
    dead: int = 0
    pending: int = 0
    trouble: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Ages are in seconds; `None` where nothing is due. `do` is for a person, most urgent first."""

    version: str
    log: str
    running: bool
    head_seq: int
    head_sha256: str
    sealed_at: datetime | None
    sealed_seconds_ago: float | None
    shipped_seq: int
    pending_records: int
    oldest_pending_seconds: float
    oldest_unsealed_seconds: float = 0.0
    spool_bytes: int
    spool_limit_bytes: int
    source: str
    source_trouble: str = ""
    store: str
    store_trouble: str = ""
    config_sha256: str = ""
    rules_sha256: str = ""
    rules_trouble: str = ""
    events: int = 0
    bytes_read: int = 0
    findings: dict[str, int] = {}
    """Since the start, matches by severity."""
    last_findings: Sequence[Found] = ()
    alerts: Sequence[Teller] = ()
    do: Sequence[str] = ()


def advice(status: Status, *, heartbeat_seconds: float) -> list[str]:
    """What a person should do now; nothing, if all is well."""
    do = []
    if not status.running:
        do.append("Start the daemon: it does not answer, and nothing is sealed without it.")
    if status.source_trouble:
        do.append(f"Let the daemon read the audit log: {status.source_trouble}")
    late = heartbeat_seconds * LATE_SEAL_FACTOR
    if status.running and (status.sealed_seconds_ago or 0.0) > late:
        do.append("Look at the spool's disk: nothing was sealed for longer than two heartbeats.")
    if status.spool_limit_bytes and status.spool_bytes >= status.spool_limit_bytes:
        do.append("Bring the store back: the spool is full and reading has stopped.")
    if status.store_trouble:
        do.append(f"Mend the store: {status.store_trouble}")
    elif status.oldest_pending_seconds > LATE_SHIP_SECONDS:
        do.append("Look at the store: the oldest record has waited for more than five minutes.")
    if status.rules_trouble:
        do.append(f"Mend the configuration or the rules: {status.rules_trouble}")
    do += [
        f"Mend the receiver {teller.name}: {teller.trouble}"
        for teller in status.alerts
        if teller.trouble
    ]
    return do
