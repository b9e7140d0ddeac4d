"""Match blocks: wildcards, negation, subresources, and who is judged when somebody impersonates."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.rules.match import (
    Key,
    KeyPredicate,
    compile_exemption,
    compile_match,
    exact,
    glob,
    key_of,
    one_of,
)
from shipper.rules.rule import Match
from tests.rules.support import event


def key(**fields: Any) -> Key:
    return key_of(event(**fields))


def of(resource: str, subresource: str = "", *, group: str = "", namespace: str = "") -> Key:
    ref = {"resource": resource, "subresource": subresource, "apiGroup": group}
    return key(objectRef=ref | {"namespace": namespace})


def by(user: str, *groups: str, acting: str = "", acting_groups: tuple[str, ...] = ()) -> Key:
    fields: dict[str, Any] = {"user": {"username": user, "groups": groups}}
    if acting:
        fields["impersonatedUser"] = {"username": acting, "groups": acting_groups}
    return key(**fields)


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "*", "."]), max_size=6).map("".join),
    st.text(alphabet="ab.", max_size=8),
)
def test_a_wildcard_stands_for_any_text(pattern: str, text: str) -> None:
    """As a regular expression with `.*` would have it, without one."""
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert glob(pattern)(text) == bool(re.fullmatch(expression, text))


def test_a_wildcard_takes_no_more_time_than_the_text() -> None:
    """The pattern that ruins a backtracking matcher is answered at once."""
    assert not glob("*a" * 30 + "b")("a" * 100_000)


@pytest.mark.parametrize(
    ("patterns", "yes", "no"),
    [
        (["a", "b"], ["a", "b"], ["c", ""]),
        (["*", "!a"], ["b", ""], ["a"]),
        (["!a", "!b*"], ["", "c"], ["a", "b", "bc"]),
        (["system:*", "!system:node:*"], ["system:x"], ["system:node:1", "bob"]),
        ([""], [""], ["a"]),
    ],
)
def test_positive_patterns_and_no_negated_one(
    patterns: list[str], yes: list[str], no: list[str]
) -> None:
    """Any pattern without `!`, if there is one, and none of those with it."""
    assert all(map(one_of(patterns), yes))
    assert not any(map(one_of(patterns), no))


def test_only_a_list_without_wildcards_is_exact() -> None:
    """The index may rely on it."""
    assert exact(["a", "b", "!c*"]) == frozenset(("a", "b"))
    assert exact(["a", "b*"]) is exact(["!a"]) is exact([]) is None


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("pods", [of("pods")], [of("pods", "exec"), of("podtemplates"), key()]),
        ("pods/exec", [of("pods", "exec")], [of("pods"), of("pods", "log")]),
        ("pods/*", [of("pods", "exec")], [of("pods"), of("nodes", "proxy")]),
        ("*/scale", [of("deployments", "scale")], [of("deployments")]),
        ("*", [of("pods"), of("pods", "exec")], [key()]),
        ("*/*", [of("pods", "exec")], [of("pods")]),
        ("*bindings", [of("rolebindings")], [of("roles"), of("rolebindings", "x")]),
    ],
)
def test_resources_and_subresources(pattern: str, yes: list[Key], no: list[Key]) -> None:
    """A resource alone has no subresource; a request that names none never matches."""
    matches = compile_match(Match(resources=(pattern,), stages=("ResponseComplete",)))
    assert all(map(matches, yes))
    assert not any(map(matches, no))


def test_groups_and_namespaces_of_the_object() -> None:
    """The core group and cluster-scoped objects are empty texts."""
    core = compile_match(Match(api_groups=("",)))
    assert core(of("pods"))
    assert not core(of("deployments", group="apps"))
    assert not core(key(requestURI="/healthz"))
    scoped = compile_match(Match(namespaces=("", "!kube-system")))
    assert scoped(of("nodes"))
    assert scoped(key(requestURI="/healthz"))
    assert not scoped(of("pods", namespace="kube-system"))


@pytest.mark.parametrize(
    ("key", "answered"),
    [
        (key(verb="get"), True),
        (key(verb="get", stage="RequestReceived"), False),
        (key(verb="get", stage="ResponseStarted"), False),
        (key(verb="get", stage="ResponseStarted", responseStatus={"code": 401}), True),
        (key(verb="watch", stage="ResponseStarted"), True),
        (key(verb="watch"), False),
        (key(verb="create", stage="ResponseStarted", objectRef={"subresource": "exec"}), True),
        (key(verb="create", objectRef={"subresource": "exec"}), False),
        (key(verb="get", stage="Panic"), False),
    ],
)
def test_each_request_is_answered_once(key: Key, answered: bool) -> None:
    """Long-running requests when they start, failed logins at once, all others at their end."""
    assert compile_match(Match())(key) == answered
    assert compile_match(Match(stages=("Answered",)))(key) == answered


def test_stages_can_be_named() -> None:
    """Then those alone count."""
    matches = compile_match(Match(stages=("Panic", "RequestReceived")))
    assert matches(key(stage="Panic"))
    assert not matches(key())


def test_impersonation_hides_nobody() -> None:
    """In a rule, a positive pattern fits either identity and a negated one must fit both."""
    people = compile_match(Match(users=("!system:*",)))
    assert people(by("bob"))
    assert not people(by("system:apiserver"))
    assert people(by("bob", acting="system:apiserver"))
    assert people(by("system:serviceaccount:a:proxy", acting="bob"))
    assert not people(by("system:a", acting="system:b"))
    bob = compile_match(Match(users=("bob",)))
    assert bob(by("eve", acting="bob"))
    assert bob(by("bob", acting="eve"))
    masters = compile_match(Match(groups=("system:masters",)))
    assert masters(by("bob", "a", "system:masters"))
    assert masters(by("bob", acting="admin", acting_groups=("system:masters",)))
    assert not masters(by("bob", "a"))


def test_nobody_borrows_an_exception() -> None:
    """In an exception, a positive pattern must fit both identities and a negated one neither."""
    operator = compile_exemption(Match(users=("ops",)))
    assert operator(by("ops"))
    assert not operator(by("bob", acting="ops"))
    assert not operator(by("ops", acting="bob"))
    others = compile_exemption(Match(users=("*", "!bob")))
    assert not others(by("ops", acting="bob"))
    masters = compile_exemption(Match(groups=("g",)))
    assert masters(by("ops", "g"))
    assert not masters(by("ops", "g", acting="bob"))


def test_an_exception_holds_in_every_stage() -> None:
    """It has no default stage, unlike a rule."""
    matches: KeyPredicate = compile_exemption(Match(verbs=("get",)))
    assert matches(key(verb="get", stage="RequestReceived"))
