"""What the two loops have done so far, for whoever shows it. Counts; decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shipper.model import Finding


@dataclass(slots=True)
class Progress:
    """Written by the loops, read by the terminal line and the service manager's."""

    turns: int = 0
    """Turns of the collect loop, idle ones too: while it counts, the loop is not hung."""
    events: int = 0
    bytes_read: int = 0
    sealed_seq: int = -1
    shipped_seq: int = -1
    head: str = ""
    pending: int = 0
    oldest_pending_ns: int | None = None
    trouble: str = ""
    weak: str = ""
    reload_trouble: str = ""
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By rule and severity: what matched and is sealed."""

    def found(self, findings: Iterable[Finding]) -> None:
        """These are sealed."""
        for finding in findings:
            self.findings[finding.rule, finding.severity] += finding.verdict == "match"

    def line(self) -> str:
        """One line for a person."""
        waiting = f"sealed {self.sealed_seq + 1}, shipped {self.shipped_seq + 1} records"
        return f"{waiting}; {self.trouble}" if self.trouble else waiting
