"""Runs the tests that stand in rules: events, and what the rule must say of them.

Each test has an engine and parameters of its own. Reads and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from shipper.model import Finding
from shipper.rules.compile import Rule
from shipper.rules.engine import Engine
from shipper.rules.rule import Expected, Test
from shipper.rules.ruleset import MALFORMED, RuleSet

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Outcome(NamedTuple):
    """One test's end; `says` is empty if the rule said what it should."""

    rule: Rule
    test: Test
    says: str


def run_tests(rules: RuleSet) -> Iterator[Outcome]:
    """Every test of every rule in the set, with the set's parameters but for those a test sets."""
    for rule in rules.rules:
        for test in rule.written.spec.tests:
            yield Outcome(rule, test, _says(rule, test, rules))


def lines_of(test: Test) -> list[bytes]:
    """The test's events as log lines, with what no event is without filled in.

    Each is a second after the one before it.
    """
    events = test.events if test.event is None else (test.event,)
    return [_line(event, number) for number, event in enumerate(events or ())]


def _line(event: dict[str, Any], number: int) -> bytes:
    time = (_BEGINNING + timedelta(seconds=number)).isoformat().replace("+00:00", ".000000Z")
    least = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": f"test-{number}",
        "stage": "ResponseComplete",
        "requestReceivedTimestamp": time,
        "stageTimestamp": time,
    }
    return msgspec.json.encode(least | event)


def _says(rule: Rule, test: Test, rules: RuleSet) -> str:
    alone = RuleSet([rule], environment=rules.environment, params=rules.params | test.params)
    findings = Engine(alone).evaluate(lines_of(test))
    broken = [finding for finding in findings if finding.rule == MALFORMED]
    if broken:
        return f"event {broken[0].line} of the test: {broken[0].message}"
    got = _verdict(findings)
    if got == test.expect:
        return ""
    told = f": {findings[0].message}" if findings else ""
    return f"expected {test.expect}, got {got}{told}"


def _verdict(findings: list[Finding]) -> Expected:
    verdicts = [finding.verdict for finding in findings]
    if "match" in verdicts:
        return "match"
    return "indeterminate" if verdicts else "none"
