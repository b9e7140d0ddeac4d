"""What the two loops have done so far, for whoever shows it. Counts; decides nothing."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from shipper.model import Finding, Record
from shipper.seal.sealer import Content

RECENT_FINDINGS = 20

MOST_CODES = 50
"""Kinds of errors that are told apart: the store chooses their names."""


@dataclass(slots=True)
class Progress:
    """Written by the loops, read by all that shows how the daemon is doing."""

    turns: int = 0
    """Turns of the collect loop, idle ones too: while it counts, the loop is not hung."""
    ready: bool = False
    """Reading has begun."""
    log: str = ""
    config_sha256: str = ""
    rules_sha256: str = ""

    events: int = 0
    bytes_read: int = 0
    malformed_lines: int = 0
    batch_opened_ns: int | None = None
    """Since when the oldest line waits for its seal (monotonic)."""
    rules_seconds: float = 0.0
    """Wall time that the rules have taken."""

    sealed_seq: int = -1
    sealed_at: datetime | None = None
    head: str = ""
    records: Counter[str] = field(default_factory=Counter)
    """Sealed records by kind."""
    notices: Counter[str] = field(default_factory=Counter)
    """Sealed notices by reason."""
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Sealed findings by rule, severity and verdict."""
    recent: deque[tuple[int, Finding]] = field(
        default_factory=lambda: deque(maxlen=RECENT_FINDINGS)
    )
    """The newest matches, each with its record's number."""

    shipped_seq: int = -1
    shipped_at: datetime | None = None
    shipped_bytes: int = 0
    pending: int = 0
    store_errors: Counter[str] = field(default_factory=Counter)

    trouble: str = ""
    """What is wrong with the store."""
    weak: str = ""
    source_trouble: str = ""
    reload_trouble: str = ""

    def sealed(self, record: Record, content: Content, now: datetime, head: str) -> None:
        """This record is in the spool."""
        self.sealed_seq, self.sealed_at, self.head = record.seq, now, head
        self.records[content.kind] += 1
        if content.notice is not None:
            self.notices[content.notice.reason] += 1
        if content.batch is not None:
            self.malformed_lines += content.batch.malformed_lines
        for finding in content.findings:
            self.findings[finding.rule, finding.severity, finding.verdict] += 1
            if finding.verdict == "match":
                self.recent.appendleft((record.seq, finding))

    def store_failed(self, code: str) -> None:
        """A call to the store failed, in this way."""
        known = code in self.store_errors or len(self.store_errors) < MOST_CODES
        self.store_errors[code if known else "other"] += 1

    def line(self) -> str:
        """One line for a person."""
        waiting = f"sealed {self.sealed_seq + 1}, shipped {self.shipped_seq + 1} records"
        return f"{waiting}; {self.trouble}" if self.trouble else waiting
