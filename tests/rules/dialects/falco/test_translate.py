"""Falco's rules as ours: what they match, what they tell, and what is said of their mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.dialects.detect import loaded, messages, notes, problems, request, said

MACROS = """\
- required_engine_version: 0.31.0
- required_plugin_versions: [{name: k8saudit, version: 0.7.0}]
- list: stages
  items: [ResponseComplete]
- macro: kevt
  condition: jevt.value[/stage] in (stages)
- macro: everything
  condition: (jevt.rawtime exists)
"""


def rule(condition: str, **more: str) -> str:
    """A rule with what no rule is without."""
    keys = {"output": "seen", "priority": "WARNING", "source": "k8s_audit"} | more
    return "\n".join([
        "- rule: A Rule", "  desc: why", f"  condition: {condition}",
        *(f"  {key}: {value}" for key, value in keys.items()), "",
    ])  # fmt: skip


POD = {"spec": {"hostNetwork": True, "containers": [{"image": "nginx:1"}, {"image": "evil:1"}]}}


CONDITIONS = [
    ("ka.verb=create", True),
    ("ka.verb!=create", False),
    ("ka.verb!=get", True),
    ("ka.target.subresource!=exec", False),  # what is missing equals nothing, nor differs
    ("not ka.target.subresource=exec", True),
    ("ka.target.subresource exists", False),
    ("not ka.target.subresource exists", True),
    ("ka.response.code startswith 2", True),
    ("ka.response.code>=300", False),
    ("ka.response.code in (200, 201)", True),
    ("ka.response.code contains 01", True),
    ("ka.user.name glob b*", True),
    ("ka.user.name glob b", False),
    ("ka.user.name glob '[!a]o?'", True),
    ("ka.user.name iglob BO*", True),
    ("ka.user.name regex bo", False),  # the whole text must match
    ("ka.user.name regex 'b.+'", True),
    ("ka.user.name icontains OB", True),
    ("toupper(ka.user.name) = BOB", True),
    ("ka.user.name startswith anyof (x, b)", True),
    ("ka.user.name contains allof (x, b)", False),
    ("ka.uri pmatch (/api/v1)", True),
    ("ka.uri pmatch (/ap)", False),
    ("ka.uri pmatch (/*/v1)", True),
    ("ka.user.groups intersects (x, system:authenticated)", True),
    ("ka.user.groups in (system:authenticated)", True),
    ("ka.req.pod.containers.image.repository in (nginx)", False),  # all of them must be
    ("ka.req.pod.containers.image.repository in (nginx, evil)", True),
    ("ka.req.pod.containers.image.repository intersects (evil)", True),
    ("not ka.req.pod.initContainers.image in (x)", True),
    ("ka.req.pod.host_network intersects (true)", True),
    ("ka.req.pod.host_pid exists", False),
    ("jevt.value[/requestObject/spec/containers/1/image] endswith :1", True),
    ("ka.uri.param[dryRun] = All", True),
    ("ka.verb in ()", False),
    ("jevt.rawtime = 0", False),
    ("ka.auth.reason exists", True),  # though it is empty
    ("ka.auth.reason != x", True),
    ("ka.auth.decision exists", False),
    ("ka.auth.decision != x", False),
    ("everything", True),
    ("kevt and (ka.verb=get or ka.verb=create) and not ka.verb=list", True),
]


def test_a_condition_is_true_where_it_is_for_falco(tmp_path: Path) -> None:
    """Each operator, on fields that are there and on such that are not."""
    texts = [
        rule(condition).replace("A Rule", f"Rule {number}")
        for number, (condition, _) in enumerate(CONDITIONS)
    ]
    rules = loaded(tmp_path, MACROS + "".join(texts))
    event = request(
        body=POD,
        requestURI="/api/v1/namespaces/default/pods?dryRun=All",
        annotations={"authorization.k8s.io/reason": ""},
    )
    expected = {f"falco-rule-{n}" for n, (_, matches) in enumerate(CONDITIONS) if matches}
    assert said(rules, event) == [(name, "match") for name in sorted(expected)]


def test_a_rule_is_told_as_falco_tells_it(tmp_path: Path) -> None:
    """Priority, tags and output; what an event has not got is <NA>."""
    output = (
        "made by %ka.user.name in %ka.target.namespace (%ka.req.pod.containers.image"
        " sub=%ka.target.subresource code=%ka.response.code reason=%ka.auth.reason"
        " {{ no }} %jevt.value[/verb])"
    )
    tags = "[k8s, mitre_execution, T1610, t1078.004]"
    rules = loaded(tmp_path, rule("ka.verb=create", output=f'"{output}"', tags=tags))
    (found,) = rules.rules
    assert (found.severity, found.attack) == ("medium", ("T1610", "T1078.004"))
    assert (found.language, found.line) == ("Falco", 1)
    assert messages(rules, request(body=POD)) == [
        "made by bob in default ((nginx:1,evil:1) sub=<NA> code=201 reason=<NA> {{ no }} create)"
    ]


def test_a_rule_looks_at_every_stage_that_it_does_not_exclude(tmp_path: Path) -> None:
    """Falco's rules say themselves which stage they mean."""
    started = request("get", code=101, stage="ResponseStarted")
    received = request("get", code=0, stage="RequestReceived")
    assert len(said(loaded(tmp_path, rule("ka.verb=get")), started, received)) == 2
    rules = loaded(tmp_path, rule("ka.verb=get and ka.stage=ResponseStarted"))
    assert len(said(rules, started, received)) == 1


def test_later_files_change_what_stands_in_earlier_ones(tmp_path: Path) -> None:
    """Lists and macros are replaced or appended to, and the rules before them see it."""
    base = MACROS + "- macro: allowed\n  condition: everything\n" + rule("kevt and not allowed")
    event = request()
    assert said(loaded(tmp_path, base), event) == []
    replaced = (
        "- macro: allowed\n  condition: ka.user.name in (users)\n- list: users\n  items: [x]\n"
    )
    assert said(loaded(tmp_path, base, replaced), event) == [("falco-a-rule", "match")]
    appended = "- list: users\n  items: [bob]\n  append: true\n"
    assert said(loaded(tmp_path, base, replaced, appended), event) == []
    more = "- macro: allowed\n  condition: or ka.verb=create\n  override: {condition: append}\n"
    assert said(loaded(tmp_path, base, replaced, more), event) == []


def test_parts_of_a_rule_are_overridden(tmp_path: Path) -> None:
    """Each key in its own way; `enabled` alone switches a rule on or off."""
    base = rule("ka.verb=create", output="one")
    change = (
        "- rule: A Rule\n  condition: and ka.user.name=bob\n  priority: ERROR\n  output: two\n"
        "  override: {condition: append, priority: replace, output: append}\n"
    )
    rules = loaded(tmp_path, base, change)
    assert rules.rules[0].severity == "high"
    assert messages(rules, request()) == ["one two"]
    off = "- rule: A Rule\n  enabled: false\n"
    rules = loaded(tmp_path, base, change, off)
    assert not rules.rules
    assert notes(rules, tmp_path) == ["00.yaml:1: rule: A Rule: left out, it is disabled"]


def test_exceptions_take_out_what_they_name(tmp_path: Path) -> None:
    """Tuples of values, sets, lists by name, and values that another file appends."""
    base = rule("ka.verb=create") + (
        "  exceptions:\n"
        "    - {name: who, fields: [ka.user.name, ka.target.namespace], values: [[eve, default]]}\n"
        "    - {name: uris, fields: ka.uri, values: [/x]}\n"
        "    - {name: known, fields: [ka.verb, ka.user.name], comps: [=, in]}\n"
        "- list: people\n  items: [kim]\n"
    )
    assert said(loaded(tmp_path, base), request()) == [("falco-a-rule", "match")]
    eve = request(user={"username": "eve"})
    kim = request(user={"username": "kim"})
    assert said(loaded(tmp_path, base), eve, request(requestURI="/x")) == []
    assert said(loaded(tmp_path, base), kim) == [("falco-a-rule", "match")]
    more = (
        "- rule: A Rule\n  exceptions: [{name: known, values: [[create, people]]}]\n"
        "  override: {exceptions: append}\n"
    )
    assert said(loaded(tmp_path, base, more), kim, eve) == []


def test_rules_of_other_sources_are_left_out_with_a_note(tmp_path: Path) -> None:
    """Falco's default is its system calls; nothing of them is read."""
    text = "- rule: A Shell\n  desc: d\n  condition: proc.name=sh\n  output: o\n  priority: INFO\n"
    rules = loaded(tmp_path, text + rule("ka.verb=create"))
    assert [one.name for one in rules.rules] == ["falco-a-rule"]
    assert notes(rules, tmp_path) == ["00.yaml:1: A Shell: left out, its source is syscall"]


def test_an_event_without_its_body_leaves_the_rule_undecided(tmp_path: Path) -> None:
    """Falco would say no, or with `not` yes; the log does not know."""
    rules = loaded(tmp_path, rule("ka.verb=create and not ka.req.pod.host_network=true"))
    undecided = [("falco-a-rule", "indeterminate")]
    assert said(rules, request(level="Metadata")) == undecided
    assert said(rules, request("get", level="Metadata")) == []
    assert said(rules, request(body={}, level="Request")) == [("falco-a-rule", "match")]
    assert rules.rules[0].needs_level == "Request"


def test_a_long_list_is_a_parameter(tmp_path: Path) -> None:
    """Ten thousand names would not fit into an expression."""
    names = ", ".join(f"user-{number}" for number in range(10_000))
    text = f"- list: people\n  items: [{names}]\n" + rule("not ka.user.name in (people)")
    rules = loaded(tmp_path, text)
    assert said(rules, request()) == [("falco-a-rule", "match")]
    assert said(rules, request(user={"username": "user-9999"})) == []


def test_rules_with_one_name_in_our_form_are_told_apart(tmp_path: Path) -> None:
    """Names are DNS labels here, and Falco's are sentences."""
    text = rule("ka.verb=create") + rule("ka.verb=get").replace("A Rule", "A/Rule")
    names = [one.name for one in loaded(tmp_path, text).rules]
    assert len(set(names)) == 2
    assert all(name.startswith("falco-a-rule") for name in names)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (rule("ka.verb=create and"), "00.yaml:3: condition: expected a field"),
        (rule("|\n    ka.verb=create\n    and proc.name=sh"), "00.yaml:5: condition: there is no"),
        (rule("nobody"), "00.yaml:3: condition: there is no macro nobody"),
        (rule("ka.user.groups = x"), "00.yaml:3: condition: ka.user.groups is a list"),
        (rule("ka.verb bcontains 6162"), "00.yaml:3: condition: the operator bcontains"),
        (rule("ka.verb regex '('"), "00.yaml:3: condition: invalid regular expression"),
        (rule("ka.verb=a", priority="LOUD"), "00.yaml:5: priority: 'LOUD' is none"),
        (rule("ka.verb=a", output="'%proc.name'"), "00.yaml:4: output: there is no field"),
        ("- rule: x\n  source: k8s_audit\n", "00.yaml:1: the rule x needs condition"),
        ("- list: x\n  items: {a: b}\n", "00.yaml:2: items: expected a list"),
        ("- list: x\n  items: [a]\n  append: true\n", "00.yaml:1: there is no x before"),
        ("- macro: x\n", "00.yaml:1: condition: expected a condition"),
        ("- rule: x\n- 3\n", "expected a mapping"),
        ("- macro: m\n  condition: a\n- nothing: 1\n", "00.yaml:3: expected list, macro"),
        (
            rule("ka.verb=a") + "  exceptions: [{name: x, fields: [ka.verb], values: [[a, b]]}]\n",
            "00.yaml:7: exceptions: x: expected as many values as fields",
        ),
        (
            rule("ka.verb=a") + "- rule: A Rule\n  condition: b\n  override: {output: append}\n",
            "00.yaml:9: override: output: expected append or replace",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(text: str, problem: str) -> None:
    """Where it stands, and what would be right."""
    found = problems(text)
    assert any(problem in one for one in found), found
