"""Filters: CEL would not find true what they turn away, and would what they decide."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.rules.bind import Binder
from shipper.rules.cel import CelError, Environment, Program
from shipper.rules.prefilter import Filter, prefilter
from shipper.rules.terms import Terms
from shipper.rules.words import all_found
from tests.rules.support import line, terms

PARAMS: dict[str, Any] = {
    "users": ["bob", "eve"],
    "none": [],
    "limit": 300,
    "on": True,
    "text": "get",
}
ENVIRONMENT = Environment()
BINDER = Binder(ENVIRONMENT, PARAMS)

DECIDED = [
    "event.responseStatus.code < 300",
    "300 > event.responseStatus.code && !request.dryRun",
    "event.responseStatus.code in [403, 422] || event.verb != 'create'",
    "event.user.username in params.users",
    "!(event.user.username in params.users) && event.responseStatus.code < params.limit",
    "event.verb == params.text",
    "'g' in event.user.groups && event.impersonatedUser.username == ''",
    "event.user.username.startsWith('b') && !event.requestURI.contains('dryRun')",
    "event.annotations[?'a/d'].orValue('') == 'forbid'",
    "event.annotations[?'a/d'].orValue('') in ['forbid', 'allow']",
    "event.annotations[?'a/d'].orValue('forbid') == 'forbid'",
    "'a/d' in event.annotations",
    "params.on || event.verb == 'get'",
    "request.operation == 'CREATE' && request.resource.resource == 'pods'",
    "event.user.username.endsWith('b') == false",
    "event.user.username.lowerAscii() == 'bob'",
    "event.userAgent.lowerAscii().contains('kubectl') && event.verb.lowerAscii() in ['get']",
    "event.requestURI.matches('(?i)dryrun|EXEC')",
    "!event.user.username.matches('^b')",
]
FILTERED = [
    "has(podSpec.hostPID) && podSpec.hostPID",
    "podSpec.hostPID == true",
    "podSpec.hostPID != true",
    "!podSpec.hostPID",
    "!(has(podSpec.hostPID) && podSpec.hostPID)",
    "has(object.spec.hostPID) == true",
    "has(object.spec.hostPID) == false",
    "object.?spec.?hostPID.orValue(false)",
    "object.?spec.?hostPID.orValue(true)",
    "!object.?spec.?hostPID.orValue(true)",
    "containers.exists(c, has(c.image) && c.image == 'nginx')",
    "containers.all(c, c.image.startsWith('nginx'))",
    "containers.exists_one(c, c.image == 'nginx')",
    "!containers.exists(c, c.image == 'nginx')",
    "size(containers.filter(c, c.image == 'nginx')) > 0",
    "containers.exists(c, c.image in ['nginx', 'busybox'])",
    "containers.exists(c, has(c.add) && 'SYS_ADMIN' in c.add)",
    "has(podSpec.hostPID) ? podSpec.hostPID : event.verb == 'create'",
    "event.verb == 'get' || (has(podSpec.hostPID) && podSpec.hostPID)",
    "object.spec.containers.exists(c, c.image.contains('gin'))",
    "object.spec.containers[0].image == 'nginx'",
    "object['spec']['hostPID'] == true",
    "cel.bind(s, object.spec, has(s.hostPID) && s.hostPID)",
    "cel.bind(event, {'verb': 'get'}, event.verb == 'get')",
    "[1].exists(params, params == 1)",
    "[{'hostPID': true}].exists(object, object.hostPID)",
    "object == null || has(object.spec)",
    "object.spec.hostPID in [true, 1]",
    "event.annotations['a/d'] == 'forbid'",
    "event.annotations.exists(k, k.startsWith('a/'))",
    "has(event.annotations.d)",
    "object.spec.count >= 2 && object.spec.count < 10",
    "string(object.spec.count) == '2'",
    "object.spec.containers.map(c, c.image).exists(i, i == 'nginx')",
    "(object.spec.hostPID || event.verb == 'get') && true",
    "object.spec.matches('x') || event.verb == 'create'",
    "object.metadata.labels.exists(k, v, k == 'app' && v == 'x')",
    "dyn(object).spec.hostPID",
    "event.requestObject.spec.hostPID == true",
    "event.user.username == event.objectRef.namespace",
    "event.user.groups == ['g']",
    "event.user.groups != ['g']",
    "event.objectRef.namespace in ['bob', object.spec.image]",
]
PROGRAMS = {text: ENVIRONMENT.compile(text) for text in DECIDED + FILTERED}
FILTERS = {text: prefilter(program.tree, PARAMS) for text, program in PROGRAMS.items()}

CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "image": st.sampled_from(["nginx", "busybox", "other"]),
            "add": st.lists(st.sampled_from(["SYS_ADMIN", "X"]), max_size=2),
        },
    ),
    max_size=2,
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "hostPID": st.sampled_from([True, False, None, "yes"]),
        "containers": CONTAINERS,
        "count": st.integers(0, 12),
    },
)
BODIES = st.none() | st.fixed_dictionaries(
    {"kind": st.sampled_from(["Pod", "Status"]), "spec": SPECS},
    optional={"metadata": st.just({"labels": {"app": "x"}})},
)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """Requests about pods, with bodies or without, answered in every way."""
    fields: dict[str, Any] = {
        "verb": draw(st.sampled_from(["create", "update", "patch", "get", "delete"])),
        "requestURI": draw(st.sampled_from(["/x", "/x?dryRun=All"])),
        "user": {"username": draw(st.sampled_from(["bob", "b", ""])), "groups": ["g"]},
        "objectRef": draw(st.sampled_from([{"resource": "pods", "namespace": "bob"}, {}])),
        "responseStatus": {"code": draw(st.sampled_from([200, 201, 403, 422]))},
        "annotations": draw(
            st.sampled_from([{}, {"a/d": "forbid"}, {"a/d": "allow"}, {"d": ""}, {"a/d": 1}])
        ),
    }
    for name in ("requestObject", "responseObject"):
        body = draw(BODIES)
        if body is not None:
            fields[name] = body
    return line(**fields)


def asked(program: Program, seen: Terms) -> Any:
    """What CEL says."""
    return program.evaluate(BINDER.bound(BINDER.plan([program]), seen))


def passes(found: Filter, seen: Terms) -> bool:
    """Whether the filter lets the event through."""
    return (
        not found.never
        and (found.stable is None or found.stable(seen))
        and (found.changing is None or found.changing(seen))
        and all_found(found.in_annotations, seen.annotation_bytes)
        and (not seen.object_bytes or all_found(found.in_object, seen.object_bytes))
    )


@settings(max_examples=150)
@given(raw=events())
def test_what_is_turned_away_is_not_true(raw: bytes) -> None:
    """Nor is it undecided for want of a body: that must be told."""
    for text, found in FILTERS.items():
        seen = terms(raw)
        if not passes(found, seen):
            answer = asked(PROGRAMS[text], seen)
            undecided = isinstance(answer, CelError) and answer.kind == "error"
            assert answer is False or undecided, text


@settings(max_examples=100)
@given(raw=events())
def test_what_is_decided_is_what_cel_says(raw: bytes) -> None:
    """An expression over the envelope alone need not be asked of CEL at all."""
    for text in DECIDED:
        assert FILTERS[text].decides, text
        seen = terms(raw)
        assert asked(PROGRAMS[text], seen) is passes(FILTERS[text], seen), text


@pytest.mark.parametrize("text", FILTERED)
def test_what_needs_a_body_is_not_decided(text: str) -> None:
    """There CEL has the last word."""
    assert not FILTERS[text].decides or "object ==" in text


def words(text: str) -> list[set[str]]:
    found = prefilter(ENVIRONMENT.compile(text).tree, PARAMS)
    return [{word.decode() for word in clause} for clause in found.in_object]


def test_the_telling_words_are_looked_for() -> None:
    """The shortest list of what must stand there; what follows from the rest is left out."""
    assert words(
        "containers.exists(c, has(c.securityContext) && has(c.securityContext.privileged)"
        " && c.securityContext.privileged == true)"
    ) == [{'"privileged":true'}, {'"securityContext":'}]
    assert words(
        "(has(podSpec.hostPID) && podSpec.hostPID) || (has(podSpec.hostIPC) && podSpec.hostIPC)"
    ) == [{'"hostPID":true', '"hostIPC":true'}]
    assert words("event.verb == 'create'") == []
    assert words("!has(podSpec.hostPID)") == []


def test_parameters_alone_can_rule_it_out() -> None:
    """An empty list that the expression asks for first."""
    for text in ("size(params.none) > 0 && object.x == 1", "params.none.size() != 0", "false"):
        assert prefilter(ENVIRONMENT.compile(text).tree, PARAMS).never
    assert not FILTERS["event.user.username in params.users"].never


def test_a_body_that_was_not_written_compactly_is_let_through() -> None:
    """Another encoder may write blanks, so no word is missed in it."""
    found = FILTERS["podSpec.hostPID == true"]
    compact = line(verb="create", objectRef={"resource": "pods"}, requestObject={"spec": {}})
    assert not passes(found, terms(compact))
    spaced = compact.replace(b'{"spec":{}}', b'{"spec": {"hostPID": true}}')
    assert passes(found, terms(spaced))
    assert asked(PROGRAMS["podSpec.hostPID == true"], terms(spaced)) is True
