"""The engine: findings in lines, whatever stands in them, at a cost that is bounded."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.audit.event import scan, scan_events
from shipper.model import Finding, What, Where, Who
from shipper.rules.engine import CHUNK_LINES, Engine
from shipper.rules.event import Event
from shipper.rules.ruleset import MALFORMED, RuleSet
from tests.rules.support import found, line, names, params, pod, rule, rules_of

PRIVILEGED = "containers.exists(c, has(c.privileged) && c.privileged)"


def test_a_finding_says_who_what_and_where(tmp_path: Path) -> None:
    """All that an alert needs, from the event."""
    rules = rules_of(
        tmp_path, rule("exec", attack=["T1609"], message="{{ event.user.username }} did")
    )
    raw = line(
        auditID="an-id",
        stage="ResponseStarted",
        verb="create",
        requestURI="/exec",
        user={"username": "bob", "groups": ["a", "b"]},
        impersonatedUser={"username": "eve"},
        sourceIPs=["1.1.1.1", "2.2.2.2"],
        userAgent="kubectl\n",
        objectRef={"resource": "pods", "subresource": "exec", "namespace": "n", "name": "p"},
        responseStatus={"code": 101},
    )
    assert Engine(rules).evaluate([b"", raw], first_line=40)[1] == Finding(
        rule="exec",
        title="A title",
        severity="high",
        attack=("T1609",),
        message="bob did",
        audit_id="an-id",
        line=41,
        time="2026-11-23T15:00:00.000001Z",
        who=Who(user="bob", groups=("a", "b"), impersonated="eve"),
        what=What(
            stage="ResponseStarted", verb="create", resource="pods", subresource="exec",
            namespace="n", name="p", code=101,
        ),
        where=Where(source_ip="2.2.2.2", user_agent="kubectl\\u000a", uri="/exec"),
    )  # fmt: skip


def test_every_rule_that_matches_tells(tmp_path: Path) -> None:
    """In the order of lines, then of names; a shadow rule says that it is one."""
    rules = rules_of(
        tmp_path,
        rule("b", match={"verbs": ["get"]}),
        rule("a", when="event.verb != ''", mode="shadow"),
        rule("c", match={"verbs": ["list"]}),
    )
    findings = found(rules, line(verb="get"), line(verb="list"), line())
    assert [(one.line, one.rule, one.mode) for one in findings] == [
        (0, "a", "shadow"), (0, "b", "alert"), (1, "a", "shadow"), (1, "c", "alert"),
    ]  # fmt: skip


def test_one_decode_serves_the_record_too(tmp_path: Path) -> None:
    """Whoever asks sees every event as it is decoded, in the order of the lines."""
    engine = Engine(rules_of(tmp_path, rule(when=PRIVILEGED)))
    lines = [PRIVILEGED_POD, b"junk", line()] * CHUNK_LINES
    seen: list[Event | None] = []
    assert engine.evaluate(lines, seen=seen.extend) == engine.evaluate(lines)
    assert scan_events(seen) == scan(lines)


# ---- verdicts


def undecided(rules: RuleSet, *lines: bytes) -> list[str]:
    findings = found(rules, *lines)
    assert all(one.severity == "info" for one in findings if one.verdict == "indeterminate")
    return [one.message for one in findings if one.verdict == "indeterminate"]


def test_a_missing_body_leaves_the_rule_undecided(tmp_path: Path) -> None:
    """Never a pass; and the message says at which level the event was logged."""
    rules = rules_of(tmp_path, rule(match={"resources": ["pods"]}, when=PRIVILEGED))
    ref = {"resource": "pods"}
    created = line(verb="create", level="Metadata", objectRef=ref, responseStatus={"code": 201})
    assert undecided(rules, created) == [
        "could not be decided: containers is not in an event of level Metadata"
    ]


@pytest.mark.parametrize(
    ("code", "decision", "told"),
    [
        (201, "allow", True),
        (403, "allow", True),
        (422, "allow", True),
        (403, "forbid", False),
        (401, "", False),
        (404, "allow", False),
        (409, "allow", False),
        (500, "allow", False),
    ],
)
def test_what_never_had_an_object_leaves_nothing_undecided(
    tmp_path: Path, code: int, decision: str, told: bool
) -> None:
    """Only requests that did something, or that admission refused, could have shown one."""
    rules = rules_of(tmp_path, rule(when=PRIVILEGED))
    raw = line(
        verb="create",
        objectRef={"resource": "pods"},
        responseStatus={"code": code},
        annotations={"authorization.k8s.io/decision": decision},
    )
    assert bool(undecided(rules, raw)) == told


def test_an_envelope_that_rules_it_out_decides(tmp_path: Path) -> None:
    """false && unknown is false, on either side."""
    for when in (f"event.verb == 'get' && {PRIVILEGED}", f"{PRIVILEGED} && event.verb == 'get'"):
        rules = rules_of(tmp_path, rule(when=when))
        assert found(rules, pod({}, requestObject=None, code=403)) == []


def test_what_only_the_cluster_knows_is_undecided(tmp_path: Path) -> None:
    """namespaceObject and authorizer can not be answered from a log."""
    rules = rules_of(
        tmp_path,
        rule("n", when="namespaceObject.metadata.name == 'x'"),
        rule("a", when="authorizer.group('').resource('pods').check('get').allowed()"),
    )
    assert undecided(rules, pod({})) == [
        "could not be decided: authorizer is known to the cluster alone",
        "could not be decided: namespaceObject is known to the cluster alone",
    ]


def test_an_expression_that_fails_is_undecided(tmp_path: Path) -> None:
    """A field that is not there without has(), a value of another type: told, not passed over."""
    rules = rules_of(
        tmp_path,
        rule("missing", when="object.spec.a == object.spec.n.a"),
        rule("type", when="object.spec.n + 1 == 2"),
    )
    told = undecided(rules, pod({"a": 1, "n": {"b": 1}}))
    assert len(told) == 2
    assert "no such key" in told[0]


def test_a_field_that_stands_nowhere_is_no_match(tmp_path: Path) -> None:
    """An expression that asks for it can not be true, whatever else it does."""
    rules = rules_of(tmp_path, rule(when="object.spec.absent == 1"))
    assert found(rules, pod({"a": 1})) == []


def test_the_same_reason_is_told_once_in_a_call(tmp_path: Path) -> None:
    """With how many there were; another rule or reason is told apart."""
    rules = rules_of(tmp_path, rule(match={"verbs": ["create"]}, when=PRIVILEGED))
    bare = line(verb="create", objectRef={"resource": "pods"}, responseStatus={"code": 201})
    other = bare.replace(b"RequestResponse", b"Metadata")
    assert undecided(rules, bare, other, bare, bare) == [
        "could not be decided: containers is not in an event of level RequestResponse"
        " (2 more like it in the lines behind it)",
        "could not be decided: containers is not in an event of level Metadata",
    ]


# ---- exceptions


def exempted(directory: Path, exception: dict[str, Any], *lines: bytes) -> list[str]:
    rules = rules_of(directory, rule(exceptions=[{"reason": "r", **exception}], when=PRIVILEGED))
    return names(found(rules, *lines))


PRIVILEGED_POD = pod({"containers": [{"privileged": True, "image": "x"}]})


def test_an_exception_lets_pass(tmp_path: Path) -> None:
    """By a match block, by an expression, or where both hold."""
    bob, eve = {"match": {"users": ["bob"]}}, {"match": {"users": ["eve"]}}
    image = {"when": "containers.all(c, c.image == 'x')"}
    assert exempted(tmp_path, bob, PRIVILEGED_POD) == []
    assert exempted(tmp_path, eve, PRIVILEGED_POD) == ["r"]
    assert exempted(tmp_path, image, PRIVILEGED_POD) == []
    assert exempted(tmp_path, bob | image, PRIVILEGED_POD) == []
    assert exempted(tmp_path, eve | image, PRIVILEGED_POD) == ["r"]


def test_an_exception_that_can_not_be_decided_does_not_hold(tmp_path: Path) -> None:
    """The finding stands: nobody is let pass on a guess."""
    assert exempted(tmp_path, {"when": "object.nope == 1"}, PRIVILEGED_POD) == ["r"]


def test_an_exception_expires_in_the_events_own_time(tmp_path: Path) -> None:
    """A date holds to the end of its day."""
    for until, held in (
        ("2026-11-23", True),
        ("2026-11-22", False),
        ("2026-11-23T15:00:00Z", False),
        ("2026-11-23T16:00:00+00:30", True),
    ):
        passed = exempted(tmp_path, {"match": {"users": ["bob"]}, "until": until}, PRIVILEGED_POD)
        assert (passed == []) == held


def test_who_is_exempted_is_not_told_of_as_undecided_either(tmp_path: Path) -> None:
    """The rule does not look at them at all."""
    bare = line(
        verb="create",
        user={"username": "bob"},
        objectRef={"resource": "pods"},
        responseStatus={"code": 201},
    )
    rules = rules_of(
        tmp_path,
        rule(when=PRIVILEGED, exceptions=[{"reason": "r", "match": {"users": ["bob"]}}]),
    )
    assert found(rules, bare) == []


# ---- thresholds


def at(seconds: float, **fields: Any) -> bytes:
    moment = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=seconds)
    stamp = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return line(stageTimestamp=stamp, **fields)


def test_a_threshold_counts_by_key_in_event_time(tmp_path: Path) -> None:
    """The finding stands at the event that reached it, and says how many and of whom."""
    rules = rules_of(
        tmp_path,
        rule(
            when="event.responseStatus.code == 403",
            threshold={"count": 3, "within": "1m", "by": ["event.user.username", "event.sourceIP"]},
        ),
    )
    denied = {"responseStatus": {"code": 403}}
    bob, eve = {"user": {"username": "bob"}} | denied, {"user": {"username": "e\nve"}} | denied
    lines = [
        at(0, **bob),
        at(1, **eve),
        at(2, **bob),
        at(3, **bob),
        at(4, **bob),
        at(5),
        at(6, **eve),
    ]
    findings = found(rules, *lines, at(7, **eve))
    assert [(one.line, one.message) for one in findings] == [
        (3, "A title (3 or more within 1m by event.user.username=bob, event.sourceIP=)"),
        (7, "A title (3 or more within 1m by event.user.username=e\\u000ave, event.sourceIP=)"),
    ]


def test_a_threshold_of_one_tells_the_first(tmp_path: Path) -> None:
    """Then it is quiet about the same key for as long; a key that fails is empty."""
    rules = rules_of(
        tmp_path, rule(threshold={"count": 1, "within": "10s", "by": ["object.metadata.name"]})
    )
    findings = found(rules, *(at(seconds) for seconds in (0, 5, 11)))
    assert [one.line for one in findings] == [0, 2]
    assert findings[0].message.endswith("(told once within 10s by object.metadata.name=)")


def test_a_quiet_rule_is_not_asked(tmp_path: Path) -> None:
    """What it would say is not to be told, also that it can not be decided."""
    rules = rules_of(
        tmp_path,
        rule(
            when=PRIVILEGED, threshold={"count": 1, "within": "1m", "by": ["event.user.username"]}
        ),
    )
    bare = {"verb": "create", "objectRef": {"resource": "pods"}, "responseStatus": {"code": 201}}
    bob, eve = (line(user={"username": name}, **bare) for name in ("bob", "eve"))
    findings = found(rules, bob, PRIVILEGED_POD, bob, eve, PRIVILEGED_POD)
    assert [(one.line, one.verdict) for one in findings] == [(0, "indeterminate"), (1, "match")]
    assert "1 more like it" in findings[0].message


def test_the_count_goes_on_from_call_to_call(tmp_path: Path) -> None:
    """A batch's end is no end of a burst."""
    engine = Engine(rules_of(tmp_path, rule(threshold={"count": 2, "within": "10s"})))
    assert engine.evaluate([at(0)]) == []
    assert len(engine.evaluate([at(1)])) == 1


# ---- lines that are no events


def test_lines_that_are_no_events_are_told_once_each_reason(tmp_path: Path) -> None:
    """With the first line's number and how many more there were."""
    rules = rules_of(tmp_path, rule(match={"verbs": ["get"]}))
    lines = [b"junk", line(verb="list"), b"\0\0", b"", b"more junk", b'{"kind":"Event"}']
    findings = found(rules, *lines)
    assert [(one.rule, one.severity, one.line, one.message) for one in findings] == [
        (MALFORMED, "low", 0, "not JSON, or not an audit.k8s.io Event"
         " (2 more like it in the lines behind it)"),
        (MALFORMED, "low", 2, "holds NUL bytes"),
        (MALFORMED, "low", 3, "empty"),
    ]  # fmt: skip


def test_a_joined_line_is_evaluated_on_what_it_holds(tmp_path: Path) -> None:
    """It is told of, and the whole event in it is asked about like any other."""
    rules = rules_of(tmp_path, rule(when=PRIVILEGED))
    findings = found(rules, PRIVILEGED_POD[:200] + PRIVILEGED_POD)
    assert [one.rule for one in findings] == [MALFORMED, "r"]
    assert findings[0].who.user == "bob"
    assert {one.line for one in findings} == {0}


def test_a_field_of_a_wrong_type_hides_nothing_else(tmp_path: Path) -> None:
    """The event is told of as odd, and evaluated without that field."""
    rules = rules_of(tmp_path, rule(when="event.user.username == 'bob' && event.userAgent == ''"))
    findings = found(rules, line(user={"username": "bob", "groups": 7}, userAgent=[1]))
    assert [one.rule for one in findings] == [MALFORMED, "r"]


def test_no_rules_find_nothing_but_lines_that_are_none(tmp_path: Path) -> None:
    """An engine without rules is an engine."""
    rules = rules_of(tmp_path)
    assert found(rules, line()) == []
    assert [one.rule for one in found(rules, b"x")] == [MALFORMED]


# ---- what may come


def test_a_fault_in_one_rule_ends_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens within a rule is an indeterminate finding of that rule."""
    bad_when, good_when = "object.spec.a == 1", "object.spec.a > 0"
    rules = rules_of(tmp_path, rule("bad", when=bad_when), rule("good", when=good_when))
    bad = next(one for one in rules.rules if one.name == "bad")

    def fails(_activation: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(bad.when, "evaluate", fails)
    findings = found(rules, pod({"a": 1}))
    assert [(one.rule, one.verdict) for one in findings] == [
        ("bad", "indeterminate"),
        ("good", "match"),
    ]
    assert findings[0].message == "could not be decided: the rule failed: ZeroDivisionError"


HOSTILE = [
    rule("walk", when="object.spec.containers.exists(a, object.spec.containers.exists(b, a == b))"),
    rule("regex", when="object.spec.text.matches('(a+)+$')"),
    rule("raw", match={"raw": "(a|b|ab)*c"}),
    rule("join", message="{{ event.user.groups.join(',') }} {{ object.spec.text }}"),
    rule("deep", when="has(object.spec.a.a.a.a) && event.requestObject.spec.a.a.a == null"),
    rule("by", threshold={"count": 2, "within": "1m", "by": ["object.spec.text"]}),
    rule("numbers", when="object.spec.n + event.responseStatus.code > 2"),
    rule("names", when="object.metadata.labels.exists(k, v, k == v)", match={"users": ["*a*b*c*"]}),
]  # fmt: skip

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["\x00", "kube-system\x00", "\ud7ff\ue000", "ab" * 500]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "level", "stage", "verb", "requestURI", "user", "impersonatedUser", "sourceIPs",
            "userAgent", "objectRef", "responseStatus", "requestObject", "responseObject",
            "annotations", "requestReceivedTimestamp",
        ]
    ),
    VALUES,
)  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    return rules_of(tmp_path_factory.mktemp("hostile"), *HOSTILE)


@settings(max_examples=200)
@given(fields=FIELDS, spec=VALUES, cut=st.integers(0, 40))
def test_no_event_makes_it_raise(
    hostile: RuleSet, fields: dict[str, Any], spec: Any, cut: int
) -> None:
    """Wrong types in every field, NULs, numbers beyond 64 bits, half lines: findings, no more."""
    raw = line(
        **{"verb": "create", "objectRef": {"resource": "pods"}, "requestObject": {"spec": spec}}
        | fields
    )
    for finding in Engine(hostile).evaluate([raw, raw[:-cut] if cut else b"", raw[cut:]]):
        assert len(json.dumps(finding.message)) < 20_000


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_no_bytes_make_it_raise(hostile: RuleSet, lines: list[bytes]) -> None:
    """Garbage is told of."""
    assert len(Engine(hostile).evaluate(lines)) <= 3 * len(lines)


@pytest.mark.parametrize(
    "spec",
    [
        {"text": "a" * 4_000_000},
        {"containers": [{"name": str(n)} for n in range(100_000)]},
        {"containers": [7] * 1_000_000},
        json.loads('{"a":' * 200 + "1" + "}" * 200),
        {"text": "\x00" * 1_000_000},
        {str(n): n for n in range(200_000)},
    ],
    ids=["long text", "many containers", "a million numbers", "deep", "NULs", "many keys"],
)
def test_a_large_event_stalls_nothing(hostile: RuleSet, spec: dict[str, Any]) -> None:
    """4 MB bodies against rules that are quadratic in them: an answer, or undecided, in seconds."""
    began = time.process_time()
    findings = found(hostile, pod(spec), line())
    assert time.process_time() - began < 30
    assert findings


def test_nesting_without_end_stalls_nothing(hostile: RuleSet) -> None:
    """Brackets deeper than the interpreter allows make no event, or an undecided one."""
    for depth in (900, 5_000, 1_000_000):
        raw = pod({}).replace(b'"spec":{}', b'"spec":{"a":' + b"[" * depth + b"]" * depth + b"}")
        assert found(hostile, raw)


def test_ten_thousand_rules_cost_what_they_concern(tmp_path: Path) -> None:
    """Each with a resource of its own: an event asks the one that is about it."""
    when = "has(object.spec.bad) && object.spec.bad"
    documents = [
        rule(f"r-{n}", match={"verbs": ["create"], "resources": [f"kind{n}"]}, when=when)
        for n in range(10_000)
    ]
    rules = rules_of(tmp_path, *documents)
    engine = Engine(rules)
    lines = [pod({"bad": True}, objectRef={"resource": f"kind{n}"}) for n in range(0, 10_000, 100)]
    assert names(engine.evaluate(lines)) == [f"r-{n}" for n in range(0, 10_000, 100)]


def test_new_requests_without_end_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Whoever invents names pays with time alone, and is found all the same."""
    engine = Engine(rules_of(tmp_path, params(x=1), rule(match={"users": ["!system:*"]})))
    lines = [line(user={"username": f"u{n}"}, annotations={"a": str(n)}) for n in range(20_000)]
    assert len(engine.evaluate(lines)) == 20_000
