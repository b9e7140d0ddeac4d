"""Rules' own tests: what is filled in, what they expect, and how they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipper.rules.testing import lines_of, run_tests
from tests.rules.support import params, rule, rules_of

POD = {"verb": "create", "objectRef": {"resource": "pods"}, "responseStatus": {"code": 201}}


def says(directory: Path, test: dict[str, Any], **spec: Any) -> str:
    documents = (params(limit=1), rule(tests=[{"name": "t", **test}], **spec))
    (outcome,) = run_tests(rules_of(directory, *documents))
    return outcome.says


@pytest.mark.parametrize(
    ("test", "says_"),
    [
        ({"event": {"verb": "get"}, "expect": "match"}, ""),
        ({"event": {"verb": "list"}, "expect": "none"}, ""),
        ({"events": [{"verb": "list"}, {"verb": "get"}], "expect": "match"}, ""),
        ({"event": {"verb": "list"}, "expect": "match"}, "expected match, got none"),
        ({"event": {"verb": "get"}, "expect": "none"}, "expected none, got match: A title"),
        ({"event": {"verb": 7}, "expect": "none"}, "event 0 of the test: an event with a field"),
        ({"event": {"kind": "Pod"}, "expect": "none"}, "event 0 of the test: not JSON, or not an"),
    ],
)
def test_a_test_says_what_went_wrong(tmp_path: Path, test: dict[str, Any], says_: str) -> None:
    """Nothing if the rule said what it should."""
    told = says(tmp_path, test, when="event.verb == 'get'")
    assert told.startswith(says_)
    assert bool(told) == bool(says_)


def test_indeterminate_is_a_verdict_of_its_own(tmp_path: Path) -> None:
    """It is neither a match nor none."""
    when = "has(object.spec)"
    assert says(tmp_path, {"event": POD, "expect": "indeterminate"}, when=when) == ""
    assert says(tmp_path, {"event": POD, "expect": "none"}, when=when).startswith(
        "expected none, got indeterminate: could not be decided"
    )


def test_each_test_stands_alone(tmp_path: Path) -> None:
    """Its own parameters, its own count, events a second apart."""
    spec: dict[str, Any] = {
        "when": "event.responseStatus.code == params.limit",
        "threshold": {"count": 2, "within": "1s"},
        "tests": [
            {"name": "default", "events": [{"responseStatus": {"code": 1}}], "expect": "none"},
            {
                "name": "own",
                "params": {"limit": 2},
                "events": [
                    {"responseStatus": {"code": 2}},
                    {"responseStatus": {"code": 2}, "stageTimestamp": "2026-01-01T00:00:00.5Z"},
                ],
                "expect": "match",
            },
        ],
    }
    assert [one.says for one in run_tests(rules_of(tmp_path, params(limit=1), rule(**spec)))] == [
        "",
        "",
    ]


def test_what_no_event_is_without_is_filled_in(tmp_path: Path) -> None:
    """And nothing else; what the test gives stands."""
    rules = rules_of(
        tmp_path,
        rule(tests=[{"name": "t", "events": [{}, {"level": "Metadata"}], "expect": "match"}]),
    )
    first, second = map(msgspec.json.decode, lines_of(rules.rules[0].written.spec.tests[0]))
    assert first == {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "RequestResponse",
        "auditID": "test-0",
        "stage": "ResponseComplete",
        "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
        "stageTimestamp": "2026-01-01T00:00:00.000000Z",
    }
    assert (second["level"], second["stageTimestamp"]) == (
        "Metadata",
        "2026-01-01T00:00:01.000000Z",
    )
