"""Collects the findings of one call, in the order of their lines.

What would repeat itself without saying more is told once, with how often: an indeterminate verdict
of the same rule for the same reason, and lines that are no audit events.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from shipper.model import Finding, Guardrail
from shipper.rules.compile import Rule
from shipper.rules.event import Event
from shipper.rules.finding import Shown, finding, shown, what, where, who
from shipper.rules.message import MAX_MESSAGE
from shipper.rules.ruleset import MALFORMED, Malformed
from shipper.text import harmless

_TITLE = "Line that is no audit event"


_encode = msgspec.json.Encoder().encode


class Report:
    """The findings so far. `is_full` once they take `most_bytes` as JSON."""

    def __init__(self, malformed: Malformed, *, most_bytes: int | None = None) -> None:
        self._malformed = malformed
        self._room_bytes = most_bytes
        self.is_full = False
        self._found: list[Finding] = []
        self._repeated: dict[tuple[str, str], list[int]] = {}
        self._shown: tuple[Event, Shown] | None = None
        """Of the event that was told of last: many policies may refuse the same one."""

    def match(
        self,
        rule: Rule,
        event: Event,
        *,
        line: int,
        message: str,
        guardrail: Guardrail | UnsetType = UNSET,
    ) -> None:
        """The rule matches; `message` is harmless already. `guardrail`: what it says it of."""
        seen = self._seen(event)
        self._add(finding(rule, seen, line=line, message=message, guardrail=guardrail))

    def indeterminate(
        self,
        rule: Rule,
        event: Event,
        *,
        line: int,
        reason: str,
        guardrail: Guardrail | UnsetType = UNSET,
    ) -> None:
        """The rule can not be answered, for `reason`."""
        if self._is_new(rule.name, reason):
            message = harmless(f"could not be decided: {reason}", MAX_MESSAGE)
            found = finding(
                rule,
                self._seen(event),
                line=line,
                message=message,
                verdict="indeterminate",
                guardrail=guardrail,
            )
            self._add(found)

    def malformed(self, reason: str, *, line: int, event: Event | None = None) -> None:
        """The line is no audit event, though `event` may have been recovered from it."""
        if self._malformed.mode == "off" or not self._is_new(MALFORMED, reason):
            return
        found = Finding(
            rule=MALFORMED,
            title=_TITLE,
            severity=self._malformed.severity,
            mode=self._malformed.mode,
            message=reason,
            audit_id="",
            line=line,
            time="",
        )
        if event is not None:
            found = msgspec.structs.replace(
                found, who=who(event), what=what(event), where=where(event)
            )
        self._add(found)

    def findings(self) -> list[Finding]:
        """All of them; how often a message stands for more than its own line is in it."""
        for index, more in self._repeated.values():
            if more:
                found = self._found[index]
                message = f"{found.message} ({more} more like it in the lines behind it)"
                self._found[index] = msgspec.structs.replace(found, message=message)
        return self._found

    def _add(self, found: Finding) -> None:
        self._found.append(found)
        if self._room_bytes is not None:
            self._room_bytes -= len(_encode(found))
            self.is_full = self._room_bytes <= 0

    def _seen(self, event: Event) -> Shown:
        if self._shown is None or self._shown[0] is not event:
            self._shown = event, shown(event)
        return self._shown[1]

    def _is_new(self, name: str, reason: str) -> bool:
        if (name, reason) in self._repeated:
            self._repeated[name, reason][1] += 1
            return False
        self._repeated[name, reason] = [len(self._found), 0]
        return True
