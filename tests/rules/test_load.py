"""From files to the rules in force: every mistake is told at once, with file, line and reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipper.config import RuleOverride, Rules
from shipper.rules.load import RulesError, load_rules, load_tested
from shipper.rules.ruleset import MALFORMED
from tests.rules.support import found, line, names, params, pod, rule, rules_of, written

BROKEN = """\
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: one}
specs: {}
spec:
  title: 7
  severity: bad
  attack: [T1609, T16]
  match:
    stage: [Panic]
    verbs: []
    users: [a, 1]
  tests: [{name: x}]
---
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: two}
spec:
  title: two
  severity: low
  when: |
    event.verb == 'x' &&
      event.usr.username == params.nobody
  message: "{{ event.verb }} {{ object. }}"
  threshold: {count: 2, within: 5, by: [1 +]}
---
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: two}
spec:
  title: two again
  severity: low
  when: event.verb
  match: {raw: '(('}
  exceptions:
    - reason: neither
    - {reason: no moment, when: 'true', until: 2026-13-01}
  tests: [{name: both, expect: none, event: {}, events: [{}]}]
---
kind: Pod
---
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: malformed-line}
spec: {title: t, severity: low, threshold: {count: 0, within: 9d}}
"""


def refused(directory: Path, *documents: dict[str, Any] | str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        rules_of(directory, *documents)
    return [
        str(problem).removeprefix(f"{directory}/rules.yaml:") for problem in caught.value.problems
    ]


def starts_with(told: list[str], expected: list[str]) -> None:
    assert [one[: len(start)] for one, start in zip(told, expected, strict=False)] == expected, told
    assert len(told) == len(expected), told


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Shapes, unknown keys with the nearest known one, CEL, names, moments: file:line: reason."""
    expected = [
        "4: specs: unknown key; did you mean spec?",
        "6: spec.title: Expected `str`, got `int`",
        "7: spec.severity: Invalid enum value 'bad'",
        "8: spec.attack.1: Expected `str` matching regex '^T[0-9]{4}(\\\\.[0-9]{3})?$'",
        "10: spec.match.stage: unknown key; did you mean stages?",
        "11: spec.match.verbs: Expected `array` of length >= 1",
        "12: spec.match.users.1: Expected `str`, got `int`",
        "13: spec.tests.0: expect is missing",
        "22: spec.when: there is no event.usr; did you mean event.user?",
        "22: spec.when: there is no params.nobody",
        "25: spec.threshold.within: Expected `str`, got `int`",
        "29: metadata.name: the name two is taken by"
        f" {tmp_path}/rules.yaml:15; choose another, or change that rule with rules.overrides",
        "34: spec.match.raw: invalid regular expression",
        "36: spec.exceptions.0: give match",
        "37: spec.exceptions.1.until: '2026-13-01' is no moment",
        "38: spec.tests.0: give event or events",
        "40: kind: Pod is no kind of rule, and no policy here needs it; known: AuditRule and",
        "44: metadata.name: malformed-line is the name of a built-in rule",
        "45: spec.threshold.count: Expected `int` >= 1",
    ]
    starts_with(refused(tmp_path, BROKEN), expected)


def test_expressions_are_checked_at_load(tmp_path: Path) -> None:
    """Syntax, types, fields and parameters that do not exist, in every place that takes CEL."""
    document = """\
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: two}
spec:
  title: two
  severity: low
  match: {raw: '(('}
  when: |
    event.verb == 'x' &&
      event.usr.username == params.nobody &&
      request.userInfo.name == "" && event.user.extra.anything == ""
  message: "{{ event.verb }} {{ 1 + }}"
  exceptions:
    - reason: neither
    - {reason: no moment, when: event.verb, until: 2026-13-01}
    - {reason: no bool, when: '1'}
  threshold: {count: 2, within: 8d, by: [1 +]}
  tests: [{name: both, expect: none, event: {}, events: [{}], params: {a: 1}}]
"""
    told = refused(tmp_path, document)
    expected = [
        "7: spec.match.raw: invalid regular expression",
        "9: spec.when: there is no event.usr; did you mean event.user?",
        "9: spec.when: there is no params.nobody",
        "9: spec.when: there is no request.userInfo.name; did you mean request.userInfo.username?",
        "12: spec.message: CEL, column",
        "14: spec.exceptions.0: give match or when, or both",
        "15: spec.exceptions.1.until: '2026-13-01' is no moment; write 2027-01-31 or",
        "16: spec.exceptions.2.when: CEL, column 1: must be bool",
        "17: spec.threshold.within: give at most 7d",
        "17: spec.threshold.by.0: CEL, column",
        "18: spec.tests.0: give event or events, one of them",
        "18: spec.tests.0.params: there is no parameter a",
    ]
    starts_with(told, expected)


def test_an_error_in_a_block_text_names_its_line(tmp_path: Path) -> None:
    """The line is the file's, not the expression's."""
    text = """a:
---
apiVersion: audit-shipper/v1
kind: AuditRule
metadata: {name: r}
spec:
  title: t
  severity: low
  when: |
    true &&
    nobody == 1
"""
    assert any(one.startswith("11: spec.when: CEL, column") for one in refused(tmp_path, text))


def test_files_that_can_not_be_read_are_named(tmp_path: Path) -> None:
    """Missing, not UTF-8, or not a file: each is a problem, and none hides the others."""
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(RulesError) as caught:
        load_tested([tmp_path / "none.yaml", tmp_path])
    told = str(caught.value)
    assert f"{tmp_path}/none.yaml: cannot be read: No such file" in told
    assert f"{tmp_path}/latin.yaml:2: not UTF-8" in told


def test_a_directory_gives_its_rule_files(tmp_path: Path) -> None:
    """*.yaml and *.yml right in it; hidden ones and others are left alone."""
    for name in ("a.yaml", "b.yml"):
        (written(tmp_path, rule(name[0]))).rename(tmp_path / name)
    for name in (".hidden.yaml", "README.md"):
        (tmp_path / name).write_text("not: [a rule")
    assert [one.name for one in load_tested([tmp_path]).rules] == ["a", "b"]


def test_one_mistake_refuses_the_whole_set(tmp_path: Path) -> None:
    """A rule that is not in force never looks as if it were."""
    with pytest.raises(RulesError, match="a mistake and are not used"):
        rules_of(tmp_path, rule("good"), rule("bad", severity="x"))


def options(path: Path, **given: Any) -> Rules:
    return Rules(catalog="none", paths=[str(path)], **given)


def test_the_configuration_overrides_by_name(tmp_path: Path) -> None:
    """Severity, mode, off, and exceptions added to the rule's own; the built-in rule too."""
    path = written(tmp_path, rule("a"), rule("b"), rule("c"), rule("d"))
    rules = load_rules(
        options(
            path,
            overrides={
                "a": RuleOverride(severity="low", mode="shadow"),
                "b": RuleOverride(mode="off"),
                "c": RuleOverride(exceptions=[{"match": {"users": ["bob"]}, "reason": "he may"}]),
                MALFORMED: RuleOverride(mode="off"),
            },
        )
    )
    findings = found(rules, line(user={"username": "bob"}), b"garbage")
    assert [(one.rule, one.severity, one.mode) for one in findings] == [
        ("a", "low", "shadow"),
        ("d", "high", "alert"),
    ]
    assert rules.off == ("b", MALFORMED)


def test_an_override_must_name_a_rule_and_be_right(tmp_path: Path) -> None:
    """An unknown name is an error with the nearest one; so is a mistake in an added exception."""
    path = written(tmp_path, rule("pod-exec"))
    with pytest.raises(RulesError) as caught:
        load_rules(
            options(
                path,
                params={"nothing": 1},
                overrides={
                    "pod-exce": RuleOverride(mode="off"),
                    "pod-exec": RuleOverride(
                        exceptions=[{"when": "event.nope == 1", "reason": "r"}]
                    ),
                    MALFORMED: RuleOverride(exceptions=[{"reasn": "r"}]),
                },
            )
        )
    assert [str(problem) for problem in caught.value.problems] == [
        "rules.overrides.malformed-line: exceptions: malformed-line has none",
        "rules.overrides.malformed-line: exceptions.0.reasn: unknown key; did you mean reason?",
        "rules.overrides.malformed-line: exceptions.0: reason is missing",
        "rules.overrides.pod-exce: there is no rule pod-exce; did you mean pod-exec?",
        "rules.overrides.pod-exec: exceptions.0.when: there is no event.nope",
        "rules.params: there is no parameter nothing",
    ]


def test_parameters_have_defaults_and_types(tmp_path: Path) -> None:
    """A rule sees the default, or what the configuration sets if that is of the same type."""
    path = written(
        tmp_path,
        params(limit=3, names=["a"], any=[], on=False, ratio=0.5),
        rule(when="event.user.username in params.names && params.limit == 3"),
    )
    bob, a = line(user={"username": "bob"}), line(user={"username": "a"})
    assert names(found(load_rules(options(path)), bob, a)) == ["r"]
    set_ = load_rules(options(path, params={"names": ["bob", "a"], "ratio": 1}))
    assert names(found(set_, bob, a)) == ["r", "r"]
    for wrong in ({"limit": "3"}, {"names": "a"}, {"names": [1]}, {"on": 1}, {"limit": True}):
        with pytest.raises(RulesError, match=r"rules\.params: \w+: expected"):
            load_rules(options(path, params=wrong))


def test_a_parameter_is_declared_once(tmp_path: Path) -> None:
    """The second declaration names the first."""
    told = refused(tmp_path, params(a=1), params(a=2))
    assert told == [f"3: spec.a: the parameter a is declared in {tmp_path}/rules.yaml:1 already"]


def test_the_hash_covers_rules_parameters_and_overrides(tmp_path: Path) -> None:
    """Two sets with one hash say the same; any change of what is in force changes it."""
    path = written(tmp_path, params(a=[1]), rule("x", when="size(params.a) > 0"))
    hashes = [
        load_rules(options(path, **given)).sha256
        for given in (
            {},
            {"params": {"a": [2]}},
            {"overrides": {"x": RuleOverride(severity="low")}},
            {"overrides": {"x": RuleOverride(mode="shadow")}},
            {"overrides": {"x": RuleOverride(mode="off")}},
            {"overrides": {"x": RuleOverride(exceptions=[{"when": "true", "reason": "r"}])}},
            {"overrides": {MALFORMED: RuleOverride(severity="high")}},
        )
    ]
    assert len(set(hashes)) == len(hashes)
    assert load_rules(options(path)).sha256 == hashes[0]
    written(tmp_path, "# moved\n", params(a=[1]), rule("x", when="size(params.a) > 0"))
    assert load_rules(options(path)).sha256 == hashes[0]


def test_expired_exceptions_are_known(tmp_path: Path) -> None:
    """A date stands for its whole day, in UTC."""
    rules = rules_of(
        tmp_path,
        rule(
            exceptions=[{"match": {"users": ["x"]}, "until": "2026-11-23", "reason": "a week off"}]
        ),
    )
    assert rules.expired(datetime(2026, 11, 23, 23, 59, tzinfo=UTC)) == []
    assert [why for _, why in rules.expired(datetime(2026, 11, 24, tzinfo=UTC))] == ["a week off"]


def test_a_rule_that_its_parameters_turn_off_is_known(tmp_path: Path) -> None:
    """An empty list that the rule asks for first: it can match nothing, and is not asked."""
    rules = rules_of(
        tmp_path,
        params(registries=[]),
        rule("off", when="size(params.registries) > 0 && event.verb == 'create'"),
        rule("on", when="params.registries.size() == 0"),
    )
    assert [one.name for one in rules.inert] == ["off"]
    assert names(found(rules, pod({}))) == ["on"]


@pytest.mark.parametrize("until", ["9999-12-31", "0001-01-01T00:00:00+14:00"])
def test_an_exception_until_the_end_of_time_is_a_mistake(tmp_path: Path, until: str) -> None:
    """Said with its place, like any other; it is left out where an exception shall not end."""
    exceptions = [{"match": {"users": ["x"]}, "until": until, "reason": "for ever"}]
    with pytest.raises(RulesError, match=r"exceptions\.0\.until: '.*' is no moment"):
        load_rules(Rules("none", [str(written(tmp_path, rule(exceptions=exceptions)))]))
