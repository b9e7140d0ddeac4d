"""Falco's own tests of its rules for Kubernetes audit events: which rules fire, and how often.

Tests that assert nothing (no rule is expected, and none is excluded) are left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from shipper.rules.engine import Engine
from shipper.rules.load import load_tested
from shipper.rules.ruleset import RuleSet
from tests.conformance.case import Case, entries

TARGETS: Mapping[str, float] = {"Falco": 100.0}
EXPLAINED: Mapping[str, str] = {}

_OVERLAYS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "K8SAuditAllowNamespaceFoo": [
        {"list": "allowed_namespaces", "items": ["foo"], "override": {"items": "append"}}
    ],
    "K8SAuditAllowUserSomeUser": [
        {"list": "allowed_k8s_users", "items": ["some-user"], "append": True}
    ],
    "K8SAuditDisallowKactivity": [
        {"macro": "consider_activity_events", "condition": "not jevt.rawtime exists"}
    ],
    "K8SAuditTrustNginxContainer": [
        {"list": f"k8s_audit_{kind}_images", "items": ["nginx"], "append": True}
        for kind in ("sensitive_mount", "privileged", "hostnetwork")
    ],
}
"""What the tests put behind the rules; those of older engines are judged by today's rules."""


def cases(corpus: Path) -> Iterator[Case]:
    """Every test that asserts something."""
    rules = list(entries(corpus / "falco-rules.jsonl.zst"))
    loaded: dict[tuple[str, ...], RuleSet] = {}
    for test in entries(corpus / "falco-cases.jsonl.zst"):
        if test["expect"] or test["expect_zero"] or test["expect_zero_rules"]:
            overlays = tuple(name for name in test["rules_files"] if name in _OVERLAYS)
            if overlays not in loaded:
                items = [item for name in overlays for item in _OVERLAYS[name]]
                loaded[overlays] = _loaded([*rules, *items])
            yield _case(test, _fired(loaded[overlays], test["events"]))


def _case(test: Mapping[str, Any], fired: Mapping[str, int]) -> Case:
    expected: dict[str, int] = {**test["expect"], **dict.fromkeys(test["expect_zero_rules"], 0)}
    if test["expect_zero"]:
        return Case("Falco", test["test"], "{}", json.dumps(fired, sort_keys=True))
    got = {name: fired.get(name, 0) for name in expected}
    return Case("Falco", test["test"], json.dumps(expected), json.dumps(got), f"fired: {fired}")


def _loaded(items: Sequence[Any]) -> RuleSet:
    with TemporaryDirectory() as directory:
        path = Path(directory, "rules.yaml")
        path.write_text(json.dumps(items))
        return load_tested([path])


def _fired(rules: RuleSet, events: Sequence[Any]) -> Mapping[str, int]:
    """How often each rule is true of `events`, by Falco's name of it."""
    lines = [msgspec.json.encode({**event, "apiVersion": "audit.k8s.io/v1"}) for event in events]
    return Counter(one.title for one in Engine(rules).evaluate(lines))
