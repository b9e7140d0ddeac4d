"""The guardrails between the lines and the batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from shipper.config import Rules
from shipper.model import Finding
from shipper.pipeline.guard import Guard, InForce, is_urgent, load_engine
from shipper.rules.engine import Engine
from tests.daemon import Place
from tests.rules.support import line, rule, written
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
    assert load_engine(Rules(catalog="none", policies="from-log")) is not None
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


def test_what_rules_cost_goes_on_when_they_are_renewed(tmp_path: Path) -> None:
    """A counter that fell at each reload would tell nothing."""
    options = Rules(catalog="none", paths=[str(written(tmp_path, rule("r")))])
    first, second = (InForce(load_engine(options), name) for name in ("old", "new"))
    guard = Guard(first)
    guard.look([line()], first_line=0)
    before = guard.costs.seconds["r"]
    assert before > 0
    guard.propose(second)
    guard.renew()
    guard.look([line()], first_line=0)
    assert guard.costs.seconds["r"] > before


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


def test_a_missing_library_is_one_clear_error(tmp_path: Path) -> None:
    """CEL needs libstdc++, which a small machine may not have: the start says so, exit code 2."""
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    config = tmp_path / "config.yaml"
    config.write_text(place.yaml(rules={"catalog": "default"}))
    without = (
        "import sys; sys.modules['cel_expr_python'] = None; import shipper.cli.main as m; m.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", without, "run", "--once", "--config", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the engine of the rules cannot be loaded: ")
    assert "libstdc++6" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_long_look_gives_signs_of_life(tmp_path: Path) -> None:
    """The watchdog must not take a megabyte of costly events for a daemon that hangs: it would be
    killed, and read the same megabyte again."""
    options = Rules(catalog="none", paths=[str(written(tmp_path, rule("r")))])
    signs: list[int] = []
    guard = Guard(InForce(load_engine(options), ""))
    guard.look([line()] * 100, first_line=0, alive=lambda: signs.append(1))
    assert len(signs) >= 3
