"""The index finds what asking every rule would find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.rules.compile import Rule
from shipper.rules.index import Index
from shipper.rules.match import Key
from tests.rules.support import rule, rules_of

VERBS = ["get", "create", "delete"]
RESOURCES = ["pods", "secrets", "nodes"]
USERS = ["bob", "eve", "system:x"]

MATCHES: list[dict[str, Any]] = [
    {},
    {"verbs": ["get"]},
    {"verbs": ["get", "create"], "resources": ["pods"]},
    {"verbs": ["*"], "resources": ["pods", "secrets/*"]},
    {"resources": ["*"]},
    {"resources": ["po*", "!pods/exec"]},
    {"resources": ["pods/exec"], "users": ["bob"]},
    {"users": ["bob", "eve"]},
    {"users": ["!bob"]},
    {"users": ["system:*"]},
    {"namespaces": ["kube-system"]},
    {"namespaces": ["!kube-system"], "verbs": ["!get"]},
    {"groups": ["g"]},
    {"apiGroups": [""]},
]
WHENS = [
    "event.verb == 'get'",
    "event.objectRef.resource in ['pods', 'nodes'] && event.verb in ['create']",
    "event.user.username == 'bob' || event.user.username == 'eve'",
    "event.verb == 'get' && event.verb == 'create'",
    "event.objectRef.namespace == ''",
]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> list[Rule]:
    directory: Path = tmp_path_factory.mktemp("rules")
    documents = [rule(f"m-{n}", match=match) for n, match in enumerate(MATCHES) if match]
    documents += [rule("m-any")]
    documents += [rule(f"w-{n}", when=when) for n, when in enumerate(WHENS)]
    return list(rules_of(directory, *documents).rules)


IDENTITY = st.tuples(st.sampled_from(USERS), st.sampled_from([(), ("g",)]))
KEYS = st.builds(
    Key,
    stage=st.just("ResponseComplete"),
    rejected=st.just(False),
    verb=st.sampled_from([*VERBS, ""]),
    api_group=st.sampled_from(["", "apps"]),
    resource=st.sampled_from([*RESOURCES, None]),
    subresource=st.sampled_from(["", "exec"]),
    namespace=st.sampled_from(["", "kube-system", "default"]),
    identities=st.lists(IDENTITY, min_size=1, max_size=2).map(tuple),
)


@settings(max_examples=300)
@given(key=KEYS)
def test_it_finds_what_matches(rules: list[Rule], key: Key) -> None:
    """All rules whose block passes, once each, in the order of their names; and no other."""
    found = Index(rules).search(key)
    matching = {one.name for one in rules if one.matches(key)}
    assert {one.name for one in found if one.name.startswith("m-")} == {
        name for name in matching if name.startswith("m-")
    }
    assert [one.name for one in found] == sorted({one.name for one in found})


@settings(max_examples=300)
@given(key=KEYS)
def test_it_leaves_out_only_what_can_not_be_true(rules: list[Rule], key: Key) -> None:
    """A condition of the expression narrows the search, never wrongly."""
    found = {one.name for one in Index(rules).search(key)}
    user = key.identities[0][0]
    true = {
        "w-0": key.verb == "get",
        "w-1": key.resource in ("pods", "nodes") and key.verb == "create",
        "w-2": user in ("bob", "eve"),
        "w-4": key.namespace == "",
    }
    answered = {name for name, holds in true.items() if holds and key.answered}
    assert answered <= found
    assert "w-3" not in found
