"""Dead letters: the newest are kept, each says which, to whom and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipper.disk import Disk
from shipper.tell.alert import Alert
from shipper.tell.dead import DEAD_LETTERS, MOST_LETTERS, DeadLetter, DeadLetters, letter
from tests.faults import FaultyDisk
from tests.tell.support import LOG, evidence, finding

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def dead(line: int) -> DeadLetter:
    return letter(
        Alert(evidence(), finding(line=line)), receiver="soc", gave_up=NOW, reason="HTTP 400"
    )


def test_a_letter_says_which_to_whom_and_why(tmp_path: Path) -> None:
    """Enough to find the sealed finding."""
    DeadLetters(tmp_path, disk=Disk()).add([dead(3)])
    assert json.loads((tmp_path / DEAD_LETTERS).read_text()) == {
        "receiver": "soc",
        "gave_up": "2026-11-23T00:00:00Z",
        "reason": "HTTP 400",
        "id": f"{LOG}/7/3/pod-exec",
        "rule": "pod-exec",
        "severity": "high",
        "audit_id": "5c1a2b3d-0000-4000-8000-123456789abc",
        "log": LOG,
        "seq": 7,
        "line": 3,
        "message": "jane ran a command in prod-pay/api-0",
    }
    assert (tmp_path / DEAD_LETTERS).stat().st_mode & 0o077 == 0


def test_the_newest_are_kept(tmp_path: Path) -> None:
    """The file does not grow for ever."""
    letters = DeadLetters(tmp_path, disk=Disk())
    letters.add([dead(n) for n in range(MOST_LETTERS)])
    letters.add([dead(n) for n in range(MOST_LETTERS, MOST_LETTERS + 5)])
    lines = (tmp_path / DEAD_LETTERS).read_text().splitlines()
    assert [json.loads(line)["line"] for line in (lines[0], lines[-1])] == [5, MOST_LETTERS + 4]
    assert len(lines) == MOST_LETTERS


def test_a_disk_that_refuses_keeps_the_old_ones(tmp_path: Path) -> None:
    """The file is whole, with or without the new letter."""
    DeadLetters(tmp_path, disk=Disk()).add([dead(1)])
    for step in range(2):
        with pytest.raises(OSError, match="Input/output"):
            DeadLetters(tmp_path, disk=FaultyDisk(step, "refused")).add([dead(2)])
        assert len((tmp_path / DEAD_LETTERS).read_text().splitlines()) == 1
