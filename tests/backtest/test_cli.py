"""`rules backtest` as a person calls it: over sealed, verified history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import commands
from shipper.errors import ConfigError
from tests.daemon import Place
from tests.test_guardrails import RULE, event

BURST = """
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: burst}
spec:
  title: Many reads
  severity: high
  match: {verbs: [get], resources: [secrets]}
  threshold: {count: 3, within: 1h, by: ["event.user.username"]}
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An archive of four events in two runs, sealed without any rules."""
    place = Place(tmp_path)
    place.log.write_bytes(event(1) + event(2, "pods"))
    place.once()
    with place.log.open("ab") as log:
        log.write(event(3, user={"username": "eve"}) + event(4))
    place.once()
    (tmp_path / "secret.yaml").write_text(RULE % {"severity": "low", "mode": "alert", "name": "s"})
    return place


def backtest(place: Place, *options: str, rules: str = "secret.yaml") -> Result:
    path = str(place.root / rules)
    arguments = [place.url, "--key", str(place.public), "--rules", path, *options]
    return CliRunner().invoke(commands, ["rules", "backtest", *arguments])


def found(result: Result, rule: str = "s") -> dict[str, Any]:
    page: dict[str, Any] = json.loads(result.stdout)
    one: dict[str, Any] = page["rules"][rule]
    return one


def test_what_would_have_been_found(place: Place) -> None:
    """How often, by whom, where, and samples that name the sealed record."""
    result = backtest(place, "--output", "json")
    assert result.exit_code == 0, result.output
    one = found(result)
    assert (one["matches"], one["users"], one["namespaces"]) == (3, {"bob": 2, "eve": 1}, {"x": 3})
    assert [(s["finding"]["audit_id"], s["finding"]["line"]) for s in one["samples"]] == [
        ("id-1", 0), ("id-3", 0), ("id-4", 1),
    ]  # fmt: skip
    text = backtest(place).stdout
    assert "s (low): 3 found" in text
    assert "bob 2, eve 1" in text
    assert "audit id id-3, line 0 of number" in text


def test_thresholds_count_across_batches(place: Place) -> None:
    """A burst that two batches share is one."""
    with place.log.open("ab") as log:
        log.write(event(5))
    place.once()
    (place.root / "burst.yaml").write_text(BURST)
    one = found(backtest(place, "--output", "json", rules="burst.yaml"), "burst")
    assert one["matches"] == 1


def test_history_can_be_bounded(place: Place) -> None:
    """Only batches that were sealed in the window are judged."""
    result = backtest(place, "--since", "2099-01-01T00:00:00Z", "--output", "json")
    assert json.loads(result.stdout)["lines"] == 0


def test_what_does_not_verify_is_not_judged(place: Place) -> None:
    """It is said, with the exit code that it is worth; the rest is judged."""
    victim = min(place.archive.glob("*/*/*/events/*/*/*"), key=lambda path: path.name)
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    result = backtest(place, "--output", "json")
    assert result.exit_code == 1
    assert "data-hash" in result.stderr
    assert found(result)["users"] == {"eve": 1, "bob": 1}


def test_a_rule_with_a_mistake_reads_nothing(place: Place) -> None:
    """It is said before any history is read, with file and line, exit code 2."""
    (place.root / "secret.yaml").write_text("kind: nothing")
    result = backtest(place)
    assert isinstance(result.exception, ConfigError)
    assert result.exception.exit_code == 2
    assert "secret.yaml:1:" in str(result.exception)


def test_no_history_is_no_result(place: Place) -> None:
    """Nothing there is exit code 3."""
    place.archive = place.root / "elsewhere"
    assert backtest(place).exit_code == 3
