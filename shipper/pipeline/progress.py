"""What the two loops have done so far, for whoever shows it. Counts; decides nothing."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shipper.model import Counted, Finding, Manifest, Record
from shipper.pipeline.guard import InForce
from shipper.pipeline.remark import remark
from shipper.seal.sealer import Content

RECENT_FINDINGS = 20

MOST_CODES = 50
"""Kinds of errors that are told apart: the store chooses their names."""

StoreState = Literal["ok", "failing", "refused", "stopped"]
"""How the last call to the store ended; `stopped`: nothing more is shipped before a person acts."""


@dataclass(slots=True)
class Progress:
    """Written by the loops, read by all that shows how the daemon is doing."""

    turns: int = 0
    """Turns of the collect loop, idle ones too: while it counts, the loop is not hung."""
    ready: bool = False
    """Reading has begun."""
    stopping: bool = False
    """Told to end: the collect loop turns no more, what is left is shipped."""
    log: str = ""
    config_sha256: str = ""
    rules_sha256: str = ""
    rules: int = 0
    """Rules in force."""

    events: int = 0
    audit_events: int = 0
    """Of these the lines that are audit events."""
    ends: int = 0
    """How often the reader has come to the log's end."""
    bytes_read: int = 0
    malformed_lines: int = 0
    batch_opened_ns: int | None = None
    """Since when the oldest line waits for its seal (monotonic)."""
    rules_seconds: float = 0.0
    """Wall time that the rules have taken."""
    rule_seconds: dict[str, float] = field(default_factory=dict)
    """CPU by rule, estimated."""
    spool_full: bool = False
    """Reading waits for room in the spool."""

    sealed_seq: int = -1
    sealed_at: datetime | None = None
    sealed_events: int = 0
    sealed_bytes: int = 0
    """Of the log, as they were read."""
    head: str = ""
    records: Counter[str] = field(default_factory=Counter)
    """Sealed records by kind."""
    notices: Counter[str] = field(default_factory=Counter)
    """Sealed notices by reason."""
    findings: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    """Sealed findings by rule, severity, verdict and mode."""
    recent: deque[tuple[int, Finding]] = field(
        default_factory=lambda: deque(maxlen=RECENT_FINDINGS)
    )
    """The newest matches, each with its record's number."""

    shipped_seq: int = -1
    shipped_at: datetime | None = None
    shipped_events: int = 0
    shipped_bytes: int = 0
    """Of the log, as they were read."""
    uploaded_bytes: int = 0
    """Of objects, compressed, repeated uploads included."""
    pending: int = 0
    store_errors: Counter[str] = field(default_factory=Counter)

    balances: int = 0
    """How often what was read was compared with what the API server says it wrote."""
    events_failed: int = 0
    """That the API server could not write, as it says."""
    events_missing: int = 0
    """That it wrote and that were never read, at least."""
    events_gained: int = 0
    """That were read and that it never wrote, at least."""
    counted: Counted | None = None
    """What the API server said last, until a record carries it."""
    apiserver_trouble: str = ""
    """Why it cannot be asked."""

    trouble: str = ""
    """What is wrong with the store."""
    store_state: StoreState = "ok"
    weak: str = ""
    source_trouble: str = ""
    disk_trouble: str = ""
    """Why the spool's disk takes nothing."""
    reload_trouble: str = ""
    reload_result: str = ""
    """What came of the last one: `ok`, `refused`, `needs-restart`; empty before the first."""
    reloads: Counter[str] = field(default_factory=Counter)
    """By what came of them."""
    reloaded_at: datetime | None = None

    def under(self, in_force: InForce) -> None:
        """From here on records are sealed under this configuration and these rules."""
        self.config_sha256 = in_force.config_sha256
        self.rules_sha256 = in_force.rules_sha256 or ""
        self.rules = in_force.rules

    def sealed(self, record: Record, content: Content, now: datetime, head: str) -> None:
        """This record is in the spool."""
        self.sealed_seq, self.sealed_at, self.head = record.seq, now, head
        self.disk_trouble = ""
        self.records[content.kind] += 1
        if content.notice is not None:
            self.notices[content.notice.reason] += 1
            self.recent.extendleft((record.seq, one) for one in remark(content.notice, now))
        if content.batch is not None:
            self.malformed_lines += content.batch.malformed_lines
            self.sealed_events += len(content.batch.leaves)
            self.sealed_bytes += content.batch.raw_size
        for finding in content.findings:
            self.findings[finding.rule, finding.severity, finding.verdict, finding.mode] += 1
            if finding.verdict == "match":
                self.recent.appendleft((record.seq, finding))

    def shipped(self, manifest: Manifest, now: datetime) -> None:
        """This manifest, and all that it names, is in the store."""
        self.shipped_at = now
        if manifest.data is not None:
            self.shipped_events += manifest.data.lines
            self.shipped_bytes += manifest.data.raw_size

    def store_failed(self, code: str) -> None:
        """A call to the store failed, in this way."""
        known = code in self.store_errors or len(self.store_errors) < MOST_CODES
        self.store_errors[code if known else "other"] += 1

    def line(self) -> str:
        """One line for a person."""
        waiting = f"sealed {self.sealed_seq + 1}, shipped {self.shipped_seq + 1} records"
        return f"{waiting}; {self.trouble}" if self.trouble else waiting
