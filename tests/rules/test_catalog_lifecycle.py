"""The catalog over 257 labelled actions, one by one, and over the control plane's own noise."""

from __future__ import annotations

import json
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import zstandard

from shipper.model import Finding
from tests.conftest import SHARED
from tests.rules.catalog import ask, grave, lines_of, table, told

TABLE = table("lifecycle")
SILENT = [action for group in TABLE["silent"] for action in group["actions"]]
EXPECTED: dict[str, list[str]] = {
    **TABLE["told"],
    **{action: [] for action in TABLE["traced"]},
    **{action: [] for action in SILENT},
}
CONTROL_PLANE = (
    b'"user":{"username":"system:apiserver"',
    b'"user":{"username":"system:kube-',
    b'"user":{"username":"system:serviceaccount:kube-system:',
    b'"user":{"username":"system:node:',
)


class Recording:
    """The recording's lines by audit id, and its labelled actions."""

    def __init__(self, folder: Path) -> None:
        self.lines = lines_of(folder / "audit.log.zst")
        with zstandard.open(folder / "expected.json.zst", "rb") as expected:
            self.actions: list[dict[str, Any]] = json.load(expected)
        self.by_id: dict[str, list[bytes]] = defaultdict(list)
        for line in self.lines:
            self.by_id[line.partition(b'"auditID":"')[2].partition(b'"')[0].decode()].append(line)

    def of(self, action: dict[str, Any]) -> list[bytes]:
        """The lines of one action."""
        return [line for audit_id in action["audit_ids"] for line in self.by_id[audit_id]]


@lru_cache(maxsize=1)
def _recording() -> Recording:
    return Recording(SHARED / "corpora" / "lifecycle")


@pytest.fixture
def recording(shared: Path) -> Recording:
    """The lifecycle recording, read once."""
    assert shared.is_dir()
    return _recording()


@lru_cache(maxsize=1)
def _whole() -> list[Finding]:
    return ask(_recording().lines)


def test_every_action_stands_in_the_table_once(recording: Recording) -> None:
    """Nothing is forgotten, and nothing is both told of and silent."""
    listed = [*TABLE["told"], *TABLE["traced"], *SILENT]
    assert sorted(listed) == sorted(action["label"] for action in recording.actions)


@pytest.mark.parametrize("label", EXPECTED)
def test_an_action_is_told_of_by_these_rules(recording: Recording, label: str) -> None:
    """Exactly these, so that nobody is woken by what the table does not name."""
    (action,) = [action for action in recording.actions if action["label"] == label]
    assert told(ask(recording.of(action))) == sorted(EXPECTED[label])


@pytest.mark.parametrize("label", TABLE["traced"])
def test_an_action_is_told_of_by_its_trace(recording: Recording, label: str) -> None:
    """The control plane's answer gives away what the request itself does not show."""
    assert recording.actions
    rule = TABLE["traced"][label]["rule"]
    assert rule in told(_whole())


def test_nothing_else_wakes_anybody(recording: Recording) -> None:
    """In the whole recording, high and critical findings are those that the table names."""
    actions = {i: action["label"] for action in recording.actions for i in action["audit_ids"]}
    strays = [
        finding
        for finding in grave(_whole())
        if finding.rule not in EXPECTED.get(actions.get(finding.audit_id, ""), ())
    ]
    assert {(stray.rule, stray.where.uri) for stray in strays} == {
        (stray["rule"], stray["uri"]) for stray in TABLE["unlabelled"]
    }


def test_no_event_of_the_recording_is_undecided(recording: Recording) -> None:
    """Every body is in this log: a rule that can not decide has a mistake in it."""
    assert recording.lines
    assert [finding for finding in _whole() if finding.verdict == "indeterminate"] == []


def test_the_control_planes_life_wakes_nobody(recording: Recording) -> None:
    """Nothing that a system component did by itself is high or critical."""
    labelled = {i for action in recording.actions for i in action["audit_ids"]}
    noise = [line for line in recording.lines if any(user in line for user in CONTROL_PLANE)]
    found = [finding for finding in grave(ask(noise)) if finding.audit_id not in labelled]
    assert len(noise) > 2000
    assert found == []


def test_the_control_plane_under_load_wakes_nobody(shared: Path) -> None:
    """Twenty thousand events of controllers, scheduler and API server: none is high or critical."""
    lines = lines_of(shared / "corpora" / "load" / "audit.log.zst")
    noise = [line for line in lines if any(user in line for user in CONTROL_PLANE)]
    assert len(noise) > 20_000
    assert grave(ask(noise)) == []
