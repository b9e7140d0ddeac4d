"""What the two loops have done so far, for whoever shows it. Counts; decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shipper.model import Finding


@dataclass(slots=True)
class Progress:
    """Written by the loops, read by the terminal line."""

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
