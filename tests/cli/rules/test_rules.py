"""`rules list | test | run | schema | doctor`: what they print, and their exit codes."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard
from click.testing import CliRunner, Result

from shipper.cli.main import commands, main
from shipper.cli.rules import VERBS
from shipper.config import Rules
from shipper.rules.load import load_rules
from shipper.rules.ruleset import MALFORMED
from tests.rules.dialects.tiny import demand
from tests.rules.support import line, params, pod, rule, written

PRIVILEGED = rule(
    "privileged",
    title="Privileged",
    attack=["T1611"],
    match={"verbs": ["create"], "resources": ["pods"]},
    when="containers.exists(c, has(c.privileged) && c.privileged)",
    message="{{ event.user.username }} did",
)
BAD = pod({"containers": [{"privileged": True}]})


def rules(*args: str | Path, input_: bytes | None = None) -> Result:
    return CliRunner().invoke(commands, ["rules", *map(str, args)], input=input_)


def configuration(directory: Path, **section: Any) -> Path:
    path = directory / "config.yaml"
    path.write_text(
        "source: {path: /log}\nseal: {key_file: /key}\nstore: {url: 'file:///s'}\n"
        f"rules: {json.dumps({'catalog': 'none', **section})}\n"
    )
    return path


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    """--help works without any rule."""
    result = rules(verb, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: commands rules {verb}")


# ---- list


def test_the_list_says_what_each_rule_needs(tmp_path: Path) -> None:
    """Name, severity, mode, audit level, techniques and title, and the hash of the set."""
    documents = PRIVILEGED, rule("quiet", mode="shadow", severity="low")
    path = written(tmp_path, *documents)
    config = configuration(tmp_path, paths=[str(path)])
    lines = rules("list", "--config", config).stdout.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["NAME", "SEVERITY", "MODE", "LEVEL", "ATT&CK", "TITLE"],
        ["privileged", "high", "alert", "Request", "T1611", "Privileged"],
        ["quiet", "low", "shadow", "Metadata", "A", "title"],
    ]
    expected = load_rules(Rules(catalog="none", paths=[str(path)])).sha256
    assert lines[-1] == f"2 rules in force; sha256 {expected}"


def test_the_list_says_what_is_off_and_what_has_expired(tmp_path: Path) -> None:
    """By the configuration, by parameters; exceptions whose day has passed on standard error."""
    old = {"match": {"users": ["x"]}, "until": "2020-01-31", "reason": "last week"}
    path = written(
        tmp_path, params(names=[]), rule("off"), rule("inert", when="size(params.names) > 0"),
        rule("old", exceptions=[old]),
    )  # fmt: skip
    config = configuration(tmp_path, paths=[str(path)], overrides={"off": {"mode": "off"}})
    result = rules("list", "--config", config)
    assert "off by the configuration: off\noff by its parameters: inert\n" in result.stdout
    assert result.stderr == "an exception of old has expired: last week\n"
    listed = json.loads(rules("list", "--config", config, "--output", "json").stdout)
    assert listed["off"] == ["off"]
    by_name = {one["name"]: one for one in listed["rules"]}
    assert by_name["inert"]["inert"] is True
    assert by_name["old"]["expiredExceptions"] == ["last week"]
    assert by_name["old"]["needsLevel"] == "Metadata"


def test_config_and_rules_exclude_each_other(tmp_path: Path) -> None:
    """One says all that is in force, the other what is added to the catalog."""
    path = written(tmp_path, PRIVILEGED)
    result = rules("list", "--config", configuration(tmp_path), "--rules", path)
    assert result.exit_code != 0
    assert "exclude each other" in str(result.exception)


@pytest.mark.usefixtures("tiny")
def test_the_list_shows_policies_and_what_stays_open(tmp_path: Path) -> None:
    """Language, action and resources; --explain names what needs the cluster, with its place."""
    path = written(tmp_path, demand(), demand("cluster", cluster=True, action="warn"))
    config = configuration(tmp_path, paths=[str(path)], policies="from-log")
    plain = rules("list", "--config", config).stdout
    assert (
        "Demand cluster   Tiny      warn    in part  CREATE, UPDATE, DELETE, CONNECT pods" in plain
    )
    assert "2 policies judge accepted writes; the log keeps them current" in plain
    assert "asks the cluster" not in plain
    explained = rules("list", "--config", config, "--explain").stdout
    assert f"{path}:3: Demand cluster: label: asks the cluster" in explained
    listed = json.loads(rules("list", "--config", config, "--output", "json").stdout)["policies"]
    assert [(one["name"], one["language"], one["unanswerable"], one["line"]) for one in listed] == [
        ("cluster", "Tiny", ["label: asks the cluster"], 3), ("has-team", "Tiny", [], 1),
    ]  # fmt: skip


# ---- test


def cases(**expect: str) -> list[dict[str, Any]]:
    return [{"name": name, "event": {}, "expect": word} for name, word in expect.items()]


def test_the_tests_of_rules_are_run(tmp_path: Path) -> None:
    """Exit code 0 if all pass, 1 if one does not; a rule without tests is named."""
    path = written(tmp_path, rule("a", tests=cases(t="match")), rule("b"))
    result = rules("test", path)
    assert result.exit_code == 0
    assert result.stdout == f"{path}:3: b has no tests\n2 rules, 1 tests, 0 failed\n"
    path = written(tmp_path, rule("a", tests=cases(good="match", bad="none")))
    result = rules("test", path)
    assert result.exit_code == 1
    assert result.stdout == (
        f"{path}:1: a: bad: expected none, got match: A title\n1 rules, 2 tests, 1 failed\n"
    )


def test_mistakes_are_told_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of them, one a line, exit code 2, no traceback."""
    path = written(tmp_path, rule("a", severity="x"), rule("b", when="event.nope"))
    monkeypatch.setattr(sys, "argv", ["audit-shipper", "rules", "test", str(path)])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "error: the rules have 2 mistakes and are not used:",
        f"  {path}:1: spec.severity: Invalid enum value 'x'",
        f"  {path}:3: spec.when: there is no event.nope",
    ]


# ---- run


def run(directory: Path, log: str | Path, *args: str, input_: bytes | None = None) -> Result:
    config = configuration(directory, paths=[str(written(directory, PRIVILEGED))])
    return rules("run", log, "--config", config, *args, input_=input_)


def test_findings_in_a_log_are_printed(tmp_path: Path) -> None:
    """With the line's number; exit code 1 if a rule matched, 0 if none did."""
    log = tmp_path / "audit.log"
    log.write_bytes(b"\n".join([line(), BAD, b"junk", line()]) + b"\n")
    result = run(tmp_path, log)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "       2  high       privileged: bob did [id]",
        "       3  low        malformed-line: not JSON, or not an audit.k8s.io Event",
    ]
    assert result.stderr == "4 lines, 2 findings, 0 undecided\n"
    log.write_bytes(line() + b"\n")
    assert run(tmp_path, log).exit_code == 0


def test_undecided_is_no_finding(tmp_path: Path) -> None:
    """It is printed, and does not make the exit code 1."""
    log = tmp_path / "audit.log"
    bare = line(verb="create", objectRef={"resource": "pods"}, responseStatus={"code": 201})
    log.write_bytes(bare + b"\n")
    result = run(tmp_path, log)
    assert result.exit_code == 0
    assert "undecided  privileged: could not be decided" in result.stdout
    assert result.stderr == "1 lines, 0 findings, 1 undecided\n"


@pytest.mark.parametrize("form", ["plain", "gzip", "zstd"])
def test_every_form_of_a_log_is_read(tmp_path: Path, form: str) -> None:
    """Plain, gzip of several members, zstd of several frames; from a file and standard input."""
    data = (line() + b"\n") * 3 + BAD  # the last line has no newline yet
    packed = {
        "plain": data,
        "gzip": gzip.compress(data[:50]) + gzip.compress(data[50:]),
        "zstd": zstandard.compress(data[:50]) + zstandard.compress(data[50:]),
    }[form]
    log = tmp_path / "audit.log"
    log.write_bytes(packed)
    assert run(tmp_path, log).stderr == "4 lines, 1 findings, 0 undecided\n"
    config = configuration(tmp_path, paths=[str(written(tmp_path, PRIVILEGED))])
    program = [sys.executable, "-m", "shipper", "rules", "run", "-", "--config", str(config)]
    piped = subprocess.run(
        [*program, "--output", "json"], input=packed, capture_output=True, check=False
    )
    assert piped.returncode == 1
    (finding,) = map(json.loads, piped.stdout.splitlines())
    assert (finding["rule"], finding["line"], finding["message"]) == ("privileged", 3, "bob did")


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(BAD * 100)[:-20],
        gzip.compress(BAD * 100)[:30] + b"\xff" * 50,
        zstandard.compress(BAD * 100)[:-5],
        b"\x28\xb5\x2f\xfd garbage",
    ],
    ids=["cut gzip", "bad gzip", "cut zstd", "bad zstd"],
)
def test_what_can_not_be_read_to_its_end_is_an_error(tmp_path: Path, data: bytes) -> None:
    """Of ours, with the file's name; never a traceback, never 0."""
    log = tmp_path / "audit.log"
    log.write_bytes(data)
    result = run(tmp_path, log)
    assert getattr(result.exception, "exit_code", None) == 3


def test_garbage_is_read_through(tmp_path: Path) -> None:
    """Whatever a file holds, each of its lines is told of; a file that is not there is an error."""
    log = tmp_path / "garbage"
    log.write_bytes(bytes(range(256)) * 100)
    result = run(tmp_path, log)
    assert result.exit_code == 1
    assert MALFORMED in result.stdout
    assert getattr(run(tmp_path, tmp_path / "none").exception, "exit_code", None) == 3


# ---- schema


def test_the_schema_is_one_for_both_kinds() -> None:
    """Every key of a rule is in it."""
    page = json.loads(rules("schema").stdout)
    assert [one["$ref"] for one in page["oneOf"]] == ["#/$defs/AuditRule", "#/$defs/AuditParams"]
    assert {"title", "when", "match", "threshold"} <= page["$defs"]["RuleSpec"]["properties"].keys()


# ---- doctor

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [ResponseStarted]
rules:
- level: Metadata
"""


def test_the_doctor_says_what_to_add(tmp_path: Path) -> None:
    """Which rules are blind, why, and rules of a policy that end it; exit code 1."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    path = written(
        tmp_path, PRIVILEGED, rule("exec", match={"verbs": ["create"], "resources": ["pods/exec"]}),
        rule("reads", match={"verbs": ["get"], "resources": ["secrets"]}),
    )  # fmt: skip
    config = configuration(tmp_path, paths=[str(path)])
    result = rules("doctor", tmp_path / "policy.yaml", "--config", config)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert [text for text in lines if not text.startswith(("Put these", "secrets and"))] == [
        "blind  exec (high): A title",
        "       rule 1 of the policy omits the stage ResponseStarted: create pods/exec",
        "blind  privileged (high): Privileged",
        "       rule 1 of the policy logs at Metadata what needs Request: create pods",
        "3 rules: 1 see all that they look for, 0 a part of it, 2 nothing",
        "",
        "",
        "- level: Request",
        "  verbs: [create]",
        "  resources:",
        "  - group: ''",
        "    resources: [pods]",
        "",
        "Take ResponseStarted out of omitStages.",
    ]


def test_the_doctor_names_each_verb_once(tmp_path: Path) -> None:
    """Also of a resource that two API groups have."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    spec = {"verbs": ["create", "delete"], "resources": ["events"], "stages": ["ResponseStarted"]}
    config = configuration(tmp_path, paths=[str(written(tmp_path, rule("e", match=spec)))])
    result = rules("doctor", tmp_path / "policy.yaml", "--config", config)
    assert ": create,delete events\n" in result.stdout


def test_the_doctor_has_nothing_to_say_where_all_is_seen(tmp_path: Path) -> None:
    """Exit code 0; the same for programs."""
    (tmp_path / "policy.yaml").write_text(POLICY.replace("[ResponseStarted]", "[]"))
    config = configuration(tmp_path, paths=[str(written(tmp_path, rule("any")))])
    assert rules("doctor", tmp_path / "policy.yaml", "--config", config).exit_code == 0
    result = rules("doctor", tmp_path / "policy.yaml", "--config", config, "--output", "json")
    assert json.loads(result.stdout) == {
        "rules": [{"name": "any", "severity": "high", "blind": False, "gaps": []}],
        "add": [],
    }


# ---- other languages

FALCO = """\
- rule: Somebody Made a Pod
  condition: ka.verb=create and ka.target.resource=pods
  output: made by %ka.user.name
  priority: WARNING
  source: k8s_audit
- {rule: A Shell, condition: proc.name=sh, output: o, priority: INFO}
"""


def test_the_list_explains_what_became_of_rules_in_other_languages(tmp_path: Path) -> None:
    """How many, where each stands, what it asks, and what was left out."""
    path = tmp_path / "falco.yaml"
    path.write_text(FALCO)
    plain = rules("list", "--rules", path).stdout
    assert "1 of them translated from Falco\nleft out with a note: 1 (--explain)" in plain
    explained = rules("list", "--rules", path, "--explain").stdout
    assert f"{path}:6: A Shell: left out, its source is syscall" in explained
    assert f"falco-somebody-made-a-pod: Falco, {path}:1\n  when: (event.verb ==" in explained
    page = json.loads(rules("list", "--rules", path, "--output", "json").stdout)
    (found,) = [one for one in page["rules"] if one["language"]]
    assert (found["name"], found["line"]) == ("falco-somebody-made-a-pod", 1)
    assert len(page["notes"]) == 1


def test_a_translated_rule_is_not_asked_for_tests(tmp_path: Path) -> None:
    """Its language has none; its mistakes are found all the same."""
    path = tmp_path / "falco.yaml"
    path.write_text(FALCO)
    assert rules("test", path).stdout == "1 rules, 0 tests, 0 failed\n"


def test_a_translated_rule_is_overridden_by_name(tmp_path: Path) -> None:
    """Severity and exceptions, as of any other."""
    path = tmp_path / "falco.yaml"
    path.write_text(FALCO)
    exception = {"match": {"users": ["bob"]}, "reason": "bob may"}
    override = {"severity": "high", "exceptions": [exception]}
    config = configuration(
        tmp_path, paths=[str(path)], overrides={"falco-somebody-made-a-pod": override}
    )
    assert "high" in rules("list", "--config", config).stdout
    log = tmp_path / "audit.log"
    log.write_bytes(BAD + b"\n")
    assert "falco-" not in rules("run", "--config", config, log).stdout
