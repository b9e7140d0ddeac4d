"""What is known of one log once it was gone through; small, and fit to travel between processes.

Judges nothing: its ledger does.
"""

from __future__ import annotations

from datetime import datetime

from shipper.model import SourceSpan, Supersedes
from shipper.verify.heads import SeenFile, SeenLog
from shipper.verify.ledger import Ledger
from shipper.verify.report import SeenHead
from shipper.verify.retention import Locks


class Outcome:
    """What is known of one log; small, and fit to travel between processes."""

    def __init__(self, path: str, label: str) -> None:
        self.path = path
        self.ledger = Ledger(label)
        self.origin = ""
        self.key: str | None = None
        self.first_seq: int | None = None
        self.resumed = False
        self.manifests = 0
        self.data_batches = 0
        self.data_first_seq: int | None = None
        self.data_last_seq: int | None = None
        self.lines = 0
        self.raw_bytes = 0
        self.findings = 0
        self.copies = 0
        self.locks = Locks()
        self.head: SeenHead | None = None
        self.created: datetime | None = None
        self.supersedes: Supersedes | None = None
        self.first_spans: tuple[SourceSpan, ...] = ()
        """What must go on where the log before ended."""
        self.files: tuple[SeenFile, ...] = ()
        self.seen: SeenLog | None = None
        """What to remember of it, if nothing speaks against it."""
