"""What one set of rules says of a batch, told to its tally: AuditRules and policies alike.

A policy is asked as if it had been in force, and denying, all along.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from shipper.backtest.compare import Said
from shipper.backtest.tally import AUDIT_RULE, Hit, Place, Subject, Tally
from shipper.backtest.workload import Workload, workload_of
from shipper.envelope import UNDECODABLE
from shipper.model import Finding, Guardrail
from shipper.rules import finding as findings
from shipper.rules.compile import Rule
from shipper.rules.dialects.kinds import kind_of
from shipper.rules.event import EMPTY, Event, ObjectRef
from shipper.rules.message import MAX_MESSAGE
from shipper.rules.report import Report
from shipper.rules.ruleset import MALFORMED, Malformed
from shipper.text import harmless

_NO_REF = ObjectRef()


class Hearing(Report):
    """What is said of one batch. `asked` tells whether an event lies in the time asked about."""

    def __init__(
        self, malformed: Malformed, tally: Tally, place: Place, asked: Callable[[Event], bool]
    ) -> None:
        super().__init__(malformed)
        self._tally = tally
        self._place = place
        self._asked = asked
        self._off = malformed.mode == "off"
        self._severity = malformed.severity
        self.said = Said({}, set())

    def match(
        self,
        rule: Rule,
        event: Event,
        *,
        line: int,
        message: str,
        guardrail: Guardrail | UnsetType = UNSET,
    ) -> None:
        """An AuditRule matches."""
        if self._asked(event):
            seen = findings.shown(event)
            found = findings.finding(rule, seen, line=line, message=message)
            hit = Hit(Subject(AUDIT_RULE, "", rule.name), found, workload_in(event))
            self._tally.of(hit.subject, severity=rule.severity).add(self._place, hit)
            self.said.hits.setdefault(line, hit)

    def indeterminate(
        self,
        rule: Rule,
        event: Event,
        *,
        line: int,
        reason: str,
        guardrail: Guardrail | UnsetType = UNSET,
    ) -> None:
        """An AuditRule can not be answered."""
        if self._asked(event):
            subject = Subject(AUDIT_RULE, "", rule.name)
            self._tally.of(subject, severity=rule.severity).undecide(harmless(reason, MAX_MESSAGE))
            self.said.undecided.add(line)

    def deny(self, hit: Hit) -> None:
        """A policy would have denied the request. Policies are heard before AuditRules."""
        self._tally.of(hit.subject).add(self._place, hit)
        if hit.finding.line not in self.said.hits:
            self.said.hits[hit.finding.line] = hit
            self._tally.denied.add(self._place, hit)

    def malformed(self, reason: str, *, line: int, event: Event | None = None) -> None:
        """A line is no event: the same for every set, so no part of what is compared."""
        if self._off:
            return
        found = Finding(
            rule=MALFORMED, title="", severity=self._severity, message=reason, audit_id="",
            line=line, time="",
        )  # fmt: skip
        hit = Hit(Subject(AUDIT_RULE, "", MALFORMED), found, Workload())
        self._tally.of(hit.subject, severity=self._severity).add(self._place, hit)


class _Metadata(msgspec.Struct, frozen=True):
    """What tells whose an object is; a field may be of any type, for all that is known."""

    name: Any = None
    namespace: Any = None
    generateName: Any = None  # noqa: N815 - the API's own name
    labels: Any = None
    ownerReferences: Any = None  # noqa: N815 - the API's own name


class _Body(msgspec.Struct, frozen=True):
    kind: Any = None
    metadata: _Metadata = _Metadata()


_decode_body = msgspec.json.Decoder(_Body).decode
"""Skips all but a few fields: an eighth of what decoding a pod takes."""


def workload_in(event: Event) -> Workload:
    """The workload that the event's object belongs to: as stored, else as sent."""
    ref = event.objectRef or _NO_REF
    code = event.responseStatus.code if event.responseStatus else 0
    raw = event.responseObject if 200 <= code < 300 else EMPTY
    if not raw and event.verb != "patch":
        raw = event.requestObject
    try:
        body = msgspec.to_builtins(_decode_body(raw)) if raw else {}
    except UNDECODABLE:
        body = {}
    return workload_of(
        {} if body.get("kind") == "Status" else body,
        kind=kind_of(ref.apiGroup, ref.resource) or ref.resource,
        namespace=ref.namespace,
        name=ref.name,
    )
