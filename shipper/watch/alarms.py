"""What a verification gives cause to call somebody for. Pure: a report comes in, alarms go out.

An alarm is one verdict of one log that does not hold; its name is that of a rule, so that receivers
choose it like any finding. Nothing is sealed of it: the archive is not ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from shipper.model import Alerts, Evidence, Finding, Severity
from shipper.tell.alert import clean
from shipper.verify.report import LogReport, Problem, Question, Report

_NO_HASH = "0" * 64
_SHOWN = 3


class Kind(NamedTuple):
    """What an alarm is called; no rule of a user's can have a dot in its name."""

    rule: str
    title: str
    severity: Severity


FAILS: dict[Question, Kind] = {
    "integrity": Kind("audit-shipper.archive-changed", "The archive was changed", "critical"),
    "completeness": Kind("audit-shipper.archive-shrunk", "The archive has shrunk", "critical"),
    "freshness": Kind("audit-shipper.log-silent", "A log has fallen silent", "high"),
    "retention": Kind("audit-shipper.lock-lost", "Objects are not locked as asked", "high"),
}

UNKNOWN = Kind("audit-shipper.archive-unchecked", "The archive could not be checked", "medium")


class Alarm(NamedTuple):
    """`log`: its origin, or the store's URL where it is none of a log's. `seq`, `key`: the record
    and the object concerned, as far as they are known; else the log's head."""

    log: str
    kind: Kind
    says: str
    seq: int
    head_sha256: str
    key: str

    @property
    def id(self) -> str:
        """The same as long as it lasts."""
        return f"{self.kind.rule} {self.log}"


def alarms(report: Report) -> list[Alarm]:
    """Everything in `report` that does not hold: one for each log and verdict."""
    found = list(_of(report.problems, None, report))
    for log in report.logs:
        found += _of(log.problems, log, report)
    return found


def _of(problems: Sequence[Problem], log: LogReport | None, report: Report) -> Iterator[Alarm]:
    for question, kind in FAILS.items():
        wrong = [one for one in problems if (one.verdict, one.state) == (question, "fails")]
        if wrong:
            yield _alarm(kind, wrong, log, report)
    unknown = [one for one in problems if one.state == "unknown"]
    if unknown:
        yield _alarm(UNKNOWN, unknown, log, report)


def _alarm(kind: Kind, problems: Sequence[Problem], log: LogReport | None, report: Report) -> Alarm:
    head, first = log.head if log else None, problems[0]
    return Alarm(
        log=_name(log, report),
        kind=kind,
        says=_says(problems),
        seq=first.seq if first.seq is not None else head.seq if head else 0,
        head_sha256=head.sha256 if head else _NO_HASH,
        key=first.key or "",
    )


def _name(log: LogReport | None, report: Report) -> str:
    """With as many parts as receivers take for granted."""
    if log is None:
        return report.store
    return log.origin if log.origin.count("/") >= 3 else f"{report.store}/{log.origin}"


def _says(problems: Sequence[Problem]) -> str:
    shown = [
        f"{one.code}: {one.says}" + ("" if one.seq is None else f" (record {one.seq})")
        for one in problems[:_SHOWN]
    ]
    more = len(problems) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def as_alert(alarm: Alarm, *, number: int, now: datetime) -> Alerts:
    """The alarm as receivers take it. `number`: how many alarms there were before it, so that each
    has an id of its own."""
    evidence = Evidence(
        log=alarm.log,
        seq=alarm.seq,
        manifest_sha256=alarm.head_sha256,
        manifest_key=alarm.key,
        sealed_at=now,
    )
    finding = Finding(
        rule=alarm.kind.rule,
        title=alarm.kind.title,
        severity=alarm.kind.severity,
        message=alarm.says,
        audit_id="",
        line=number,
        time=now.isoformat(),
    )
    return Alerts(evidence, (clean(finding),))
