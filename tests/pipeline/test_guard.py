"""The guardrails between the lines and the batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from shipper.config import Rules
from shipper.model import Finding
from shipper.pipeline.guard import Guard, InForce, is_urgent, load_engine
from shipper.rules.engine import Engine
from tests.verify.archive import changed_finding, finding

LINE = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete",'
    b'"stageTimestamp":"2026-01-01T00:00:00.000000Z"}'
)


class Broken:
    """An engine with a bug."""

    def evaluate(self, lines: Sequence[bytes], **_: Any) -> list[Finding]:
        raise KeyError("a bug")


def test_without_rules_events_are_counted() -> None:
    """And no engine is loaded."""
    assert load_engine(Rules(catalog="none")) is None
    seen = Guard(InForce(None, "")).look([LINE, b"garbage"], first_line=0)
    assert (seen.scan.first_audit_id, seen.scan.malformed, seen.findings) == ("a", 1, [])


def test_an_engine_that_breaks_stops_no_record() -> None:
    """The lines are sealed, with a finding that says that they were not judged."""
    engine = cast(Engine, Broken())
    seen = Guard(InForce(engine, "")).look([LINE, b"garbage"], first_line=7)
    assert (seen.scan.first_audit_id, seen.scan.malformed) == ("a", 1)
    (one,) = seen.findings
    assert (one.rule, one.verdict, one.line) == ("rules-engine", "indeterminate", 7)
    assert "2 lines from here on: KeyError" in one.message


def test_what_is_proposed_waits() -> None:
    """It comes into force when it is told to, not before."""
    guard = Guard(InForce(None, "old"))
    guard.propose(InForce(None, "new"))
    assert (guard.is_proposed, guard.in_force.config_sha256) == (True, "old")
    guard.renew()
    assert (guard.is_proposed, guard.in_force.config_sha256) == (False, "new")


@pytest.mark.parametrize(
    ("one", "urgent"),
    [
        (finding(0, "high"), True),
        (finding(0, "critical"), True),
        (finding(0, "medium"), False),
        (changed_finding(finding(0, "critical"), mode="shadow"), False),
        (changed_finding(finding(0, "critical"), verdict="indeterminate"), False),
    ],
)
def test_what_is_urgent(one: Finding, *, urgent: bool) -> None:
    """A match in mode alert that is as severe as asked; nothing else."""
    assert is_urgent([finding(0), one], "high") is urgent
