"""What the tests of backtests share: hits, courts over policies of the tests' own, results."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from shipper.backtest.court import Court
from shipper.backtest.question import Question
from shipper.backtest.result import Result
from shipper.backtest.tally import AUDIT_RULE, Hit, Place, Subject
from shipper.backtest.workload import Workload
from shipper.model import What, Who
from shipper.rules.ruleset import RuleSet
from shipper.verify.request import Window
from tests.rules.support import pod, rules_of
from tests.verify.archive import changed_finding, finding

PLACE = Place("c/n/i", 7)
SUBJECT = Subject(AUDIT_RULE, "", "a-rule")


def hit(
    user: str = "bob",
    *,
    time: str = "",
    namespace: str = "",
    workload: str = "web",
    line: int = 0,
    subject: Subject = SUBJECT,
) -> Hit:
    """What some subject says of a line."""
    found = changed_finding(
        finding(line), who=Who(user=user), what=What(namespace=namespace), time=time
    )
    return Hit(subject, found, Workload("Deployment", namespace, workload))


def labelled(number: int, labels: dict[str, str] | None = None, **fields: Any) -> bytes:
    """A pod that was created, with these labels."""
    metadata = {"name": f"p{number}", "namespace": "default", "labels": labels or {}}
    body = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": {}}
    time = f"2026-11-23T15:{number:02d}:00.000000Z"
    return pod(
        {}, **{"auditID": f"id-{number}", "stageTimestamp": time, "responseObject": body} | fields
    )


def judged(
    sets: Sequence[RuleSet], *lines: bytes, since: datetime | None = None, place: Place = PLACE
) -> Result:
    """What a court says of the lines."""
    court = Court(sets, Window(since))
    court.judge(place, lines)
    return court.result


def question(*sets: RuleSet, verified: bool = True) -> Question:
    """What was asked of an archive."""
    names = ["old.yaml", "new.yaml"][-len(sets) :]
    return Question(sets, names, ["file:///archive"], verified, Window(), 2.0)


def tried(directory: Path, *documents: dict[str, Any], name: str = "tried") -> RuleSet:
    """The rules and policies in the documents."""
    (directory / name).mkdir()
    return rules_of(directory / name, *documents)
