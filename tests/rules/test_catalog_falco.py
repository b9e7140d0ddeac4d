"""Falco's own tests of its Kubernetes rules: where theirs must fire, the catalog tells too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.rules.catalog import ask, grave, shipped, table, told, with_params

TABLE = table("falco")
NOT_COVERED = [rule for group in TABLE["not-covered"] for rule in group["rules"]]
BY_HAND = {name: row["by-hand"] for name, row in TABLE["covered"].items() if "by-hand" in row}


@pytest.fixture
def cases(shared: Path) -> list[dict[str, Any]]:
    """Falco's tests: `expect` counts the findings of each of their rules, `events` is the log."""
    return _cases(shared / "conformance" / "falco-cases.jsonl.zst")


@lru_cache(maxsize=1)
def _cases(path: Path) -> list[dict[str, Any]]:
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def lines_of(case: dict[str, Any], **changed: Any) -> Iterator[bytes]:
    """The case's events as log lines, with the apiVersion that some of them lack."""
    for event in case["events"]:
        whole = {"kind": "Event", "apiVersion": "audit.k8s.io/v1"} | event | changed
        yield json.dumps(whole, separators=(",", ":")).encode()


def test_every_rule_of_theirs_that_must_fire_stands_in_the_table(
    cases: list[dict[str, Any]],
) -> None:
    """Covered, or not covered for a reason that is written down."""
    assert sorted([*TABLE["covered"], *NOT_COVERED]) == sorted(
        {rule for case in cases for rule in case["expect"]}
    )


def test_where_theirs_fires_ours_does(cases: list[dict[str, Any]]) -> None:
    """On each event of each case, not just once."""
    for case in cases:
        for theirs in set(case["expect"]) - set(NOT_COVERED):
            ours = TABLE["covered"][theirs]
            rules = with_params(ours.get("params", {}))
            for line in lines_of(case):
                assert ours["rule"] in told(ask([line], rules=rules)), case["test"]


@pytest.mark.parametrize("theirs", BY_HAND)
def test_the_same_pod_by_a_persons_hand_wakes_somebody(
    cases: list[dict[str, Any]], theirs: str
) -> None:
    """Falco's pods come from a ReplicaSet, whose template we judge; a bare pod is judged itself."""
    person = {"username": "mallory", "groups": ["system:authenticated"]}
    for case in cases:
        if theirs in case["expect"]:
            found = ask(lines_of(case, user=person))
            assert BY_HAND[theirs] in told(found), case["test"]


def test_where_theirs_must_be_quiet_nobody_is_woken(cases: list[dict[str, Any]]) -> None:
    """Their counter-examples may be worth a note, never a call at night."""
    quiet = [case for case in cases if not case["expect"]]
    assert quiet
    for case in quiet:
        assert grave(ask(lines_of(case), rules=shipped())) == [], case["test"]
