"""`rules backtest` as a person calls it: over sealed, verified history."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from shipper.cli.main import commands
from shipper.errors import ConfigError, SourceError
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

POLICY = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: %(name)s}
spec:
  matchConstraints:
    resourceRules:
      - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
  validations:
    - {expression: "%(expression)s", message: not so}
"""
PRIVILEGED = "object.spec.containers.all(c, !has(c.privileged) || !c.privileged)"
HOST = "!has(object.spec.hostNetwork) || !object.spec.hostNetwork"


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
    page = json.loads(result.stdout)
    assert (page["batches"], page["lines"], page["verified"]) == (2, 4, True)
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


def created(number: int, hash_: str = "5d4f", **spec: Any) -> bytes:
    """A Deployment's pod."""
    controller = {"kind": "ReplicaSet", "name": f"web-{hash_}", "controller": True}
    metadata = {
        "name": f"web-{hash_}-{number}", "namespace": "shop", "ownerReferences": [controller],
        "labels": {"pod-template-hash": hash_},
    }  # fmt: skip
    body = {"kind": "Pod", "apiVersion": "v1", "metadata": metadata}
    return event(
        number, "pods", verb="create", level="RequestResponse", responseStatus={"code": 201},
        objectRef={"resource": "pods", "namespace": "shop", "apiVersion": "v1"},
        responseObject=body | {"spec": {"containers": [], **spec}},
    )  # fmt: skip


def policy(root: Path, name: str, expression: str) -> Path:
    path = root / f"{name}.yaml"
    path.write_text(POLICY % {"name": name, "expression": expression})
    return path


@pytest.fixture
def pods(tmp_path: Path) -> Path:
    """A log of three pods of one Deployment; a policy that nothing binds is beside it."""
    bad = [{"name": "c", "privileged": True}]
    log = tmp_path / "pods.log"
    log.write_bytes(
        created(1, containers=bad) + created(2, "77aa", hostNetwork=True) + created(3, "77aa")
    )
    policy(tmp_path, "no-privileged", PRIVILEGED)
    policy(tmp_path, "no-host", HOST)
    return log


def tried(log: Path | str, *options: str) -> Result:
    arguments = ["rules", "backtest", str(log), *options]
    return CliRunner().invoke(commands, arguments, catch_exceptions=False)


def test_what_a_policy_would_have_denied(pods: Path) -> None:
    """In a plain log that nobody vouches for, which is said; by workload, with what to change."""
    rules = str(pods.parent / "no-privileged.yaml")
    result = tried(pods, "--rules", rules, "--output", "json")
    assert result.exit_code == 0, result.output
    page = json.loads(result.stdout)
    assert (page["verified"], page["batches"], page["lines"]) == (False, 1, 3)
    assert page["raw_bytes"] == pods.stat().st_size
    [one] = page["policies"]
    assert (one["name"], one["objects"], one["undecided_share"]) == ("no-privileged", 3, 0)
    assert one["denied"]["workloads"] == {"Deployment shop/web": 1}
    assert one["denied"]["workloads_guessed"] == 1
    assert one["denied"]["timeline"]["buckets"] == {"2026-01-01T00:00": 1}
    [sample] = one["denied"]["samples"]
    assert (sample["log"], sample["seq"], sample["finding"]["line"]) == (str(pods), None, 0)
    assert sample["change"][-1] == "-    privileged: true"


def test_a_log_may_be_piped(pods: Path) -> None:
    """Into the program itself; the result for people says that nobody has verified it."""
    rules = ["--rules", str(pods.parent / "no-privileged.yaml")]
    command = [sys.executable, "-m", "shipper", "rules", "backtest", "-", *rules]
    text = subprocess.run(command, input=pods.read_bytes(), capture_output=True, check=True).stdout
    assert b"blocks that nobody has verified" in text
    assert b"1 of 3 would have been denied, 0 undecided (0.0%), 0 exempt" in text
    assert b"line 1 of standard input" in text


def test_logs_may_be_compressed_and_many(pods: Path) -> None:
    """In the order in which they are named; samples name the file."""
    packed = pods.with_suffix(".gz")
    packed.write_bytes(gzip.compress(pods.read_bytes()))
    options = ["--rules", str(pods.parent / "no-privileged.yaml"), "--output", "json"]
    both = json.loads(tried(pods, str(packed), *options).stdout)
    assert (both["lines"], both["denied"]["matches"]) == (6, 2)
    assert both["sources"] == [str(pods), str(packed)]


def test_sealed_history_is_asked_the_same(pods: Path) -> None:
    """Verified first; the sample names the sealed record."""
    place = Place(pods.parent / "node")
    place.log.write_bytes(pods.read_bytes())
    place.once()
    rules = str(pods.parent / "no-host.yaml")
    result = tried(place.url, "--key", str(place.public), "--rules", rules, "--output", "json")
    page = json.loads(result.stdout)
    assert (page["verified"], page["denied"]["matches"]) == (True, 1)
    assert page["denied"]["samples"][0]["seq"] is not None


def test_policies_of_each_moment_are_those_of_all_logs(pods: Path) -> None:
    """A policy that went through one API server denies what went through the other, later."""
    written = yaml.safe_load(POLICY % {"name": "no-host", "expression": HOST})
    binding: dict[str, Any] = {
        "apiVersion": written["apiVersion"], "kind": f"{written['kind']}Binding",
        "metadata": {"name": "b"}, "spec": {"policyName": "no-host", "validationActions": ["Warn"]},
    }  # fmt: skip
    writes = b"".join(
        event(
            9, resource, verb="create", level="RequestResponse", responseStatus={"code": 201},
            objectRef={"apiGroup": "admissionregistration.k8s.io", "apiVersion": "v1",
                       "resource": resource, "name": document["metadata"]["name"]},
            responseObject=document, stageTimestamp="2025-12-31T00:00:00.000000Z",
        )
        for document, resource in (
            (written, "validatingadmissionpolicies"),
            (binding, "validatingadmissionpolicybindings"),
        )
    )  # fmt: skip
    one, other = Place(pods.parent / "one"), Place(pods.parent / "other")
    for place, lines in ((one, pods.read_bytes()), (other, writes)):
        place.log.write_bytes(lines)
        place.once()
    logs = [next(place.archive.rglob("log.note")).parent for place in (one, other)]
    shutil.copytree(logs[1], logs[0].with_name(logs[1].name))
    keys = ["--key", str(one.public), "--key", str(other.public)]
    nothing = ["--rules", str(pods.parent / "secret.yaml")]
    (pods.parent / "secret.yaml").write_text(
        RULE % {"severity": "low", "mode": "alert", "name": "s"}
    )
    result = tried(one.url, *keys, *nothing, "--policies", "from-log", "--output", "json")
    assert result.exit_code == 0, result.output
    page = json.loads(result.stdout)
    assert (page["policies_from_log"], page["denied"]["matches"]) == (True, 1)
    assert (page["policies"][0]["name"], page["policies"][0]["action"]) == ("no-host", "warn")


def test_two_versions_are_compared(pods: Path) -> None:
    """In one pass: which requests the new one denies and the old one did not, and back."""
    old, new = (str(pods.parent / f"{name}.yaml") for name in ("no-privileged", "no-host"))
    result = tried(pods, "--compare", old, new, "--output", "json")
    comparison = json.loads(result.stdout)["comparison"]
    assert [comparison[name]["matches"] for name in ("new", "gone", "both")] == [1, 1, 0]
    assert comparison["new"]["samples"][0]["finding"]["audit_id"] == "id-2"
    assert (comparison["old"]["name"], comparison["new"]["users"]) == (old, {"bob": 1})


def test_a_page_for_a_browser(pods: Path) -> None:
    """One file on standard output."""
    result = tried(pods, "--rules", str(pods.parent / "no-host.yaml"), "--output", "html")
    assert result.exit_code == 0
    assert result.stdout.startswith("<!doctype html>")
    assert result.stdout.endswith("</html>\n")
    assert "<svg" in result.stdout


def test_a_log_can_be_bounded(pods: Path) -> None:
    """By the time of its events; where none is left nothing was asked, and that is no pass."""
    rules = ["--rules", str(pods.parent / "no-host.yaml"), "--until", "2025-12-31T00:00:00Z"]
    told = tried(pods, *rules)
    assert (told.exit_code, "\nno events\n" in told.stdout) == (3, True)
    none = json.loads(tried(pods, *rules, "--output", "json").stdout)
    assert (none["lines"], none["policies"], none["first"]) == (3, [], None)


def test_a_log_that_ends_badly_is_an_error(pods: Path) -> None:
    """No result over a part of it looks like one over all of it."""
    packed = pods.with_suffix(".gz")
    packed.write_bytes(gzip.compress(pods.read_bytes())[:-9])
    result = CliRunner().invoke(commands, ["rules", "backtest", str(packed)])
    assert isinstance(result.exception, SourceError)
    assert not result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["file:///x"], "needs --key"),
        (["file:///x", "y.log"], "alone"),
        (["y.log", "--compare", "a", "b", "--rules", "c"], "exclude each other"),
        (["y.log", "--compare", "a", "b", "--policies", "from-log"], "all history"),
    ],
)
def test_what_does_not_go_together_is_said(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is read."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(commands, ["rules", "backtest", *arguments])
    assert isinstance(result.exception, ConfigError)
    assert says in str(result.exception)


def test_an_empty_log_is_no_result(tmp_path: Path) -> None:
    """As an empty archive is none: exit code 3."""
    (tmp_path / "empty.log").touch()
    assert tried(tmp_path / "empty.log").exit_code == 3


def test_no_history_is_no_result(place: Place) -> None:
    """Nothing there is exit code 3."""
    place.archive = place.root / "elsewhere"
    assert backtest(place).exit_code == 3
