"""Every threat of docs/threat-model.md, carried out, with the verdict that it must get."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest

from shipper.model import Agent, Data, FileHead, Manifest, Notice, SourceSpan, Timestamp
from shipper.store.directory import DirectoryStore
from shipper.store.memory import MemoryStore
from shipper.verify.report import EXIT_CODES
from shipper.verify.text import render
from tests.verify.archive import codes, dump, verify
from tests.verify.attacks import ATTACKS, Attack, fresh
from tests.verify.interference import INTERFERENCE
from tests.verify.lies import FIELDS, LIES
from tests.verify.obstacles import OBSTACLES, Obstacle
from tests.verify.takeovers import TAKEOVERS
from tests.verify.versions import VERSIONS

THREATS = Path(__file__).parent.parent.parent / "docs" / "threat-model.md"
ALL = [*ATTACKS, *INTERFERENCE, *LIES, *TAKEOVERS]
CARRIED_OUT = {(a.threat, a.exit_code) for a in ALL}
CARRIED_OUT |= {(o.threat, o.exit_code) for o in OBSTACLES}
CARRIED_OUT |= {(v.threat, v.exit_code) for v in VERSIONS}
_ROW = re.compile(r"^\| (T\d\d) \|.*\| ([a-z]+) \|$", re.MULTILINE)


@pytest.mark.parametrize("attack", ALL, ids=str)
def test_attack_is_noticed(attack: Attack) -> None:
    """What the attacker does gets the verdict that the threat table claims."""
    log = fresh(attack.base)
    asked = dict(attack.asked)
    keys = asked.pop("keys", ())
    seen = None
    if attack.remember:
        before = verify(log.store, keys=keys, **{**asked, "again": False})
        seen = {known.origin: known for known in before.seen}
        assert before.report.exit_code == 0
    attack.do(log)
    report = verify(log.store, keys=keys, seen=seen, **asked).report
    assert attack.code in codes(report), report
    assert report.exit_code == attack.exit_code, report


@pytest.mark.parametrize("obstacle", OBSTACLES, ids=str)
def test_obstacle_is_noticed(obstacle: Obstacle, tmp_path: Path) -> None:
    """What is no object gets a verdict too; nothing waits, nothing is followed out of the store."""
    log = fresh("tall" if obstacle.base == "tall" else "small")
    assert isinstance(log.store, MemoryStore)
    root = dump(log.store, tmp_path / "archive")
    obstacle.put(root, log)
    report = verify(DirectoryStore(root)).report
    assert obstacle.code in codes(report), report
    assert report.exit_code == obstacle.exit_code, report
    assert render(report).isprintable() or "\x1b" not in render(report)
    msgspec.json.encode(report)


def test_every_threat_is_carried_out() -> None:
    """The threat table and the attacks name the same threats."""
    claimed = dict(_ROW.findall(THREATS.read_text()))
    assert set(claimed) == {threat for threat, _ in CARRIED_OUT}


@pytest.mark.parametrize("threat", sorted(_ROW.findall(THREATS.read_text())), ids=str)
def test_every_threat_gets_its_verdict(threat: tuple[str, str]) -> None:
    """Of each threat's attacks at least one ends with the code of the verdict in the table."""
    name, verdict = threat
    codes_of: dict[str, int] = {"unknown": 3} | {str(v): code for v, code in EXIT_CODES.items()}
    assert (name, codes_of[verdict]) in CARRIED_OUT


def test_every_field_of_a_manifest_is_attacked() -> None:
    """No field can be added to the manifest without a row that changes it."""
    attacked = {re.sub(r"\.\d+", "", path) for path in FIELDS}
    assert set(_fields(Manifest)) == attacked


def _fields(of: type, prefix: str = "") -> Iterator[str]:
    within = {"time": Timestamp, "data": Data, "notice": Notice, "sources": SourceSpan} | {
        "sources.head": FileHead,
        "agent": Agent,
    }
    for name in get_type_hints(of):
        path = f"{prefix}{name}"
        if path in within:
            yield from _fields(within[path], f"{path}.")
        else:
            yield path
