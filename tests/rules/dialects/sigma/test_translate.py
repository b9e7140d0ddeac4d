"""Sigma's rules as ours: what they match, what they tell, and what is said of their mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shipper.rules.ruleset import RuleSet
from tests.rules.dialects.detect import loaded, messages, notes, problems, request, said
from tests.rules.support import line

HEAD = """\
title: A Rule
id: 11111111-2222-4333-8444-555555555555
status: test
level: low
logsource: {product: kubernetes, service: audit}
"""


def sigma(detection: str, *more: str) -> str:
    """A rule with this detection, indented by two."""
    return "\n".join([f"{HEAD}detection:", detection.rstrip(), *more, ""])


def selecting(selection: str, condition: str = "sel") -> str:
    return sigma(f"  sel:\n    {selection}\n  condition: {condition}")


POD: dict[str, Any] = {
    "kind": "Pod",
    "spec": {
        "containers": [
            {"image": "nginx", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}
        ],
        "volumes": [{"hostPath": {"path": "/etc/kubernetes"}}],
    },
}
EVENT = request(
    body=POD,
    requestURI="/api/v1/namespaces/default/pods/p/exec?command=%2Fbin%2Fbash",
    userAgent="kubectl/v1.30 (Linux)",
    sourceIPs=["10.1.2.3"],
    annotations={"authorization.k8s.io/decision": "allow", "example.com/note": "Odd"},
)


def matches(rules: RuleSet, *lines: bytes) -> bool:
    return ("sigma-a-rule", "match") in said(rules, *lines)


SELECTIONS = [
    ("verb: CREATE", True),  # case does not count
    ("verb: [get, create]", True),
    ("objectRef.resource: pods", True),
    ("ObjectRef_Resource: pods", True),
    ("kubernetes.audit.objectRef.resource: pods", True),
    ("resource: pods", True),
    ("user.username: Bob", True),
    ("username|cased: Bob", False),
    ("username|startswith: BO", True),
    ("user|endswith: ob", True),
    ("userAgent|contains|all: [KUBECTL, linux]", True),
    ("userAgent|contains|all: [kubectl, windows]", False),
    ("userAgent|contains: [curl, kubectl]", True),
    ("userAgent: 'kubectl/*linux?'", True),
    ("userAgent|re: '^kubectl/v1\\.[0-9]+'", True),
    ("userAgent|re: '^KUBECTL'", False),
    ("userAgent|re|i: '^KUBECTL'", True),
    ("sourceIPs|cidr: 10.0.0.0/8", True),
    ("sourceIPs|cidr: 192.168.0.0/16", False),
    ("responseStatus.code: 201", True),
    ("responseStatus.code|gte: 400", False),
    ("responseStatus.code|lt: 300", True),
    ("responseStatus.code: ALLOW", True),  # the authorizer's word, as some shapes have it
    ("responseStatus.code|startswith: '2'", True),
    ("annotations.authorization.k8s.io/decision: Allow", True),
    ("annotations.example.com/note: odd", True),
    ("objectRef.subresource: null", True),
    ("objectRef.namespace: null", False),
    ("objectRef.subresource|exists: false", True),
    ("hostPath: '*'", True),
    ("hostPath|exists: true", True),
    ("hostPath: '/etc/*'", True),
    ("hostPath: /var", False),
    ("capabilities: '*'", True),
    ("capabilities|contains: sys_admin", True),
    ("hostIPC: '*'", False),
    ("hostIPC: null", True),
    ("requestObject.spec.containers.image: NGINX", True),
    ("spec.volumes.hostPath.path|startswith: /etc", True),
    ("requestObject.spec.containers.image|base64: nginx", False),
    ("user.groups: system:authenticated", True),
    ("objectRef.apiGroup|exists: true", False),
]
CONDITIONS = [
    ("sel_a and sel_b", False),
    ("sel_a or sel_b", True),
    ("sel_a and not sel_b", True),
    ("1 of sel_*", True),
    ("all of sel_*", False),
    ("all of them", False),
    ("not 1 of sel_b*", True),
    ("(sel_b or sel_a) and not (sel_a and sel_b)", True),
]


def found_in(directory: Path, texts: list[str], event: bytes = EVENT) -> list[bool]:
    """Which of the rules match; each is given a name of its own."""
    named = [text.replace("A Rule", f"Rule {number}") for number, text in enumerate(texts)]
    found = said(loaded(directory, "---\n".join(named)), event)
    assert {verdict for _, verdict in found} == {"match"}
    return [(f"sigma-rule-{number}", "match") in found for number in range(len(texts))]


def test_a_selection_matches_raw_events_whatever_shape_it_was_written_for(tmp_path: Path) -> None:
    """Names of fields in many forms, modifiers, and what stands in bodies alone."""
    found = found_in(tmp_path, [selecting(selection) for selection, _ in SELECTIONS])
    assert list(zip([selection for selection, _ in SELECTIONS], found, strict=True)) == SELECTIONS


def test_selections_are_joined_by_the_condition(tmp_path: Path) -> None:
    """Words, quantifiers and parentheses."""
    head = "  sel_a:\n    verb: create\n  sel_b:\n    verb: get\n  condition: "
    found = found_in(tmp_path, [sigma(head + condition) for condition, _ in CONDITIONS])
    assert list(zip([condition for condition, _ in CONDITIONS], found, strict=True)) == CONDITIONS


def test_maps_in_a_list_are_alternatives(tmp_path: Path) -> None:
    """And the fields of one map must all agree."""
    maps = "    - {verb: get, resource: pods}\n    - {verb: create, user: bob}"
    detection = f"  sel:\n{maps}\n  condition: sel"
    assert matches(loaded(tmp_path, sigma(detection)), EVENT)


KEYWORDS = [
    ("[TruffleHog, sys_admin]", True),
    ("[trufflehog]", False),
    ("['sys*min']", True),
    ('[\'"kind":"pod"\']', True),
    ("['a\"b']", True),  # written with a backslash in the line
    ("['<script>']", True),  # which the API server escapes
]


def test_keywords_are_looked_for_in_the_whole_line(tmp_path: Path) -> None:
    """As a person would who reads it."""
    body = {**POD, "metadata": {"annotations": {"x": 'a"b'}}}
    event = request(body=body).replace(b'"bob"', b'"\\u003cscript\\u003e"')
    texts = [sigma(f"  words: {words}\n  condition: words") for words, _ in KEYWORDS]
    found = found_in(tmp_path, texts, event)
    assert list(zip([words for words, _ in KEYWORDS], found, strict=True)) == KEYWORDS


def test_a_rule_says_what_its_author_wrote(tmp_path: Path) -> None:
    """Level, techniques, false positives, and where it comes from."""
    text = selecting("verb: create") + (
        "description: Why it matters.\nauthor: somebody\ntags: [attack.execution, attack.t1609]\n"
        "falsepositives: [An operator, '']\nreferences: [https://example.com]\n"
    )
    (found,) = loaded(tmp_path, text).rules
    assert (found.name, found.title, found.severity) == ("sigma-a-rule", "A Rule", "low")
    assert (found.attack, found.false_positives) == (("T1609",), ("An operator",))
    assert found.description.startswith("Why it matters.\nSigma rule, id: 11111111")
    assert (found.language, found.line) == ("Sigma", 1)


def test_a_request_is_told_once_unless_the_rule_speaks_of_stages(tmp_path: Path) -> None:
    """Sigma knows no stages; an API server writes several events for one request."""
    received = request(stage="RequestReceived", code=0)
    rules = loaded(tmp_path, selecting("verb: create"))
    assert said(rules, received, request()) == [("sigma-a-rule", "match")]
    rules = loaded(tmp_path, selecting("stage: requestreceived"))
    assert said(rules, received, request()) == [("sigma-a-rule", "match")]


def test_an_event_without_its_body_leaves_the_rule_undecided(tmp_path: Path) -> None:
    """What the audit level keeps back may be what the rule looks for."""
    rules = loaded(tmp_path, selecting("hostPath: '*'"))
    assert said(rules, request(level="Metadata")) == [("sigma-a-rule", "indeterminate")]
    assert rules.rules[0].needs_level == "Request"


def test_rules_of_other_log_sources_are_left_out_with_a_note(tmp_path: Path) -> None:
    """A directory of rules for everything may be given as it is."""
    other = selecting("verb: create").replace("product: kubernetes", "product: windows")
    old = selecting("verb: create").replace("status: test", "status: deprecated")
    rules = loaded(tmp_path, other, old)
    assert not rules.rules
    assert notes(rules, tmp_path) == [
        "00.yaml:1: A Rule: left out, its log source is windows audit",
        "01.yaml:1: A Rule: left out, its status is deprecated",
    ]


CORRELATION = """\
title: Many
correlation:
  type: event_count
  rules: [11111111-2222-4333-8444-555555555555]
  group-by: [user.username]
  timespan: 5m
  condition: {gte: 3}
"""


def test_a_count_of_events_is_a_threshold(tmp_path: Path) -> None:
    """The rule that is counted is not told for itself."""
    rules = loaded(tmp_path, selecting("verb: create"), CORRELATION)
    (found,) = rules.rules
    assert (found.name, found.severity) == ("sigma-many", "low")
    eve = request(user={"username": "eve"})
    assert said(rules, request(), eve, request()) == []
    assert said(rules, request(), eve, request(), request()) == [("sigma-many", "match")]
    generating = CORRELATION.replace("type:", "generate: true\n  type:")
    both = loaded(tmp_path, selecting("verb: create"), generating)
    assert [one.name for one in both.rules] == ["sigma-a-rule", "sigma-many"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("event_count", "temporal", "01.yaml:3: correlation: correlations of type temporal"),
        ("{gte: 3}", "{lt: 3}", "expected the condition gte or gt"),
        ("{gte: 3}", "{gte: 999999}", "expected the condition gte or gt"),
        ("5m", "5 minutes", "5 minutes is no timespan"),
        ("11111111", "99999999", "01.yaml:4: correlation.rules: there is no rule 99999999"),
        ("  timespan", "  aliases: {a: b}\n  timespan", "aliases is not supported"),
    ],
)
def test_what_no_threshold_can_say_is_refused(old: str, new: str, problem: str) -> None:
    """By name, not by silence."""
    found = problems(selecting("verb: create"), CORRELATION.replace(old, new))
    assert any(problem in one for one in found), found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (selecting("verb|fieldref: user"), "00.yaml:8: detection.sel.verb|fieldref: verb: Sigma"),
        (selecting("verb|nope: x"), "00.yaml:7: detection: Unknown modifier"),
        (selecting("verb: x", "sel and other"), "detection.condition: Detection 'other' not"),
        (selecting("verb: x", "sel and"), "detection.condition"),
        (selecting("user|re: '('"), "invalid regular expression"),
        (selecting("verb|expand: '%placeholder%'"), "placeholders are not supported"),
        (sigma("  words: ['*']\n  condition: words"), "an empty keyword"),
        (selecting("verb: x").replace("level: low", "level: loud"), "00.yaml:4: level"),
        (sigma("  sel: {verb: x}"), "at least one condition"),
        (HEAD + "detection: [x]\n", "00.yaml:6: detection"),
        (HEAD + "filter: {rules: any}\n", "00.yaml:6: filter: filters are not supported"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(text: str, problem: str) -> None:
    """Where it stands, and what has no counterpart."""
    found = problems(text)
    assert any(problem in one for one in found), found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (selecting("verb: x", "(" * 100 + "sel" + ")" * 100), "more than 64 parentheses"),
        (selecting("verb: x", "not " * 1000 + "sel"), "nested too deeply"),
        (selecting("verb: x", "sel or " * 3000 + "sel"), "longer than 8192 characters"),
        (selecting(f"verb: [{'x, ' * 30_000}x]"), "more than 20,000 values"),
        (selecting(f"image|contains: [{', '.join(f'x{n}' for n in range(5000))}]"), "32768"),
        (selecting("user|re: '(a{1000}){1000}'"), "invalid regular expression"),
        (selecting(f"user: '{'*a' * 3000}'"), "too long"),
    ],
)
def test_what_has_no_bound_is_refused(text: str, reason: str) -> None:
    """What is nested, long or many without end."""
    (found,) = problems(text)
    assert reason in found


def test_a_message_is_the_title(tmp_path: Path) -> None:
    """Who did it to what stands in the finding beside it."""
    assert messages(loaded(tmp_path, selecting("verb: create")), line(verb="create")) == ["A Rule"]
