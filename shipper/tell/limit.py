"""How many messages a minute a receiver takes, and what is told of those it did not get. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from shipper.model import Count, Evidence, Finding, Severity
from shipper.tell.alert import Alert, Message, worst

PERIOD_SECONDS = 60.0

HELD_BACK = "audit-shipper.alerts-held-back"
"""The rule in whose name held-back alerts are told; no rule of a user's can have a dot."""

_MOST_RULES, _NAMED_RULES, _OTHERS = 100, 10, "(others)"


class Limit:
    """At most `per_period` in a minute that begins with the first; 0 sets no limit."""

    def __init__(self, per_period: int) -> None:
        self._per_period = per_period
        self._began = float("-inf")
        self._count = 0

    def allows(self, now: float) -> bool:
        """Whether one more may go at `now` (seconds of a monotonic clock); if so, it is counted."""
        if not self.wait_seconds(now):
            if now >= self._began + PERIOD_SECONDS:
                self._began, self._count = now, 0
            self._count += 1
            return True
        return False

    def wait_seconds(self, now: float) -> float:
        """After how long one more may go."""
        if not self._per_period or self._count < self._per_period:
            return 0.0
        return max(0.0, self._began + PERIOD_SECONDS - now)


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """Alerts that were not told one by one, until somebody is told how many they were."""

    by_rule: dict[str, Count] = {}
    severity: Severity = "info"
    first_seq: Count = 0
    last: Evidence | None = None
    line: Count = 0

    def __len__(self) -> int:
        return sum(self.by_rule.values())

    def plus(self, alerts: Iterable[Alert]) -> Held:
        """These, too."""
        held = self
        for alert in alerts:
            finding = alert.finding
            held = held.plus_count(alert.evidence, {finding.rule: 1}, finding.severity)
            held = structs.replace(held, line=finding.line)
        return held

    def plus_count(
        self, evidence: Evidence, by_rule: Mapping[str, int], severity: Severity
    ) -> Held:
        """These many of one record, too."""
        counts = Counter(self.by_rule)
        for rule, count in by_rule.items():
            counts[rule if rule in counts or len(counts) < _MOST_RULES else _OTHERS] += count
        return Held(
            by_rule=dict(counts),
            severity=worst((self.severity, severity)),
            first_seq=self.first_seq if self.by_rule else evidence.seq,
            last=evidence,
            line=self.line,
        )

    def notice(self) -> Message | None:
        """The alert that tells of them, as severe as the worst of them; None if there are none."""
        if self.last is None:
            return None
        ranked = Counter(self.by_rule).most_common()
        named = [f"{count} of {rule}" for rule, count in ranked[:_NAMED_RULES]]
        if len(ranked) > _NAMED_RULES:
            named.append(f"{sum(count for _, count in ranked[_NAMED_RULES:])} of other rules")
        finding = Finding(
            rule=HELD_BACK,
            title="Alerts were held back",
            severity=self.severity,
            message=f"{len(self)} alerts were held back: {', '.join(named)};"
            f" records {self.first_seq} to {self.last.seq}. Their findings are sealed there.",
            audit_id="",
            line=self.line,
            time=self.last.sealed_at.isoformat(),
        )
        return Message((Alert(self.last, finding),))
