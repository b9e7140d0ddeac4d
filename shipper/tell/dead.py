"""Dead letters: alerts that a receiver was never told of. The newest are kept for a person to read.

Names them and says why; the findings themselves are sealed in the record that each one names.
"""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

import msgspec

from shipper.disk import Disk
from shipper.model import Severity
from shipper.tell.alert import Alert

DEAD_LETTERS = "dead-letters.ndjson"

MOST_LETTERS = 1000
"""Letters that are kept, some 400 bytes each."""

_PRIVATE_FILE = 0o600


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One alert, one receiver. `gave_up`: when; `reason`: what the last try came to."""

    receiver: str
    gave_up: datetime
    reason: str
    id: str
    rule: str
    severity: Severity
    audit_id: str
    log: str
    seq: int
    line: int
    message: str


def letter(alert: Alert, *, receiver: str, gave_up: datetime, reason: str) -> DeadLetter:
    """The letter for an alert that `receiver` was not told of."""
    finding, evidence = alert.finding, alert.evidence
    return DeadLetter(
        receiver=receiver,
        gave_up=gave_up,
        reason=reason,
        id=alert.id,
        rule=finding.rule,
        severity=finding.severity,
        audit_id=finding.audit_id,
        log=evidence.log,
        seq=evidence.seq,
        line=finding.line,
        message=finding.message,
    )


class DeadLetters:
    """The file of them. May be used from several threads."""

    def __init__(self, directory: Path, *, disk: Disk) -> None:
        self._path = directory / DEAD_LETTERS
        self._disk = disk
        self._writing = threading.Lock()

    def add(self, letters: list[DeadLetter]) -> None:
        """Append, and let go of the oldest; `OSError` leaves the file as it was."""
        with self._writing:
            try:
                lines = self._path.read_bytes().splitlines(keepends=True)
            except FileNotFoundError:
                lines = []
            lines += [msgspec.json.encode(one) + b"\n" for one in letters]
            kept = b"".join(lines[-MOST_LETTERS:])
            self._disk.replace(self._path, kept, mode=_PRIVATE_FILE)
