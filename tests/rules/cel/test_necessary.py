"""What must hold for an expression to be true."""

from __future__ import annotations

import itertools

import pytest

from tests.rules.cel.asking import ENVIRONMENT

CONDITIONS: list[tuple[str, dict[str, set[str]]]] = [
    ("event.verb == 'create'", {"event.verb": {"create"}}),
    ("'create' == event.verb", {"event.verb": {"create"}}),
    ("event.verb in ['create', 'update']", {"event.verb": {"create", "update"}}),
    ("event.verb in []", {"event.verb": set()}),
    (
        "event.verb == 'get' && event.objectRef.resource in ['pods'] && object.x > 1",
        {"event.verb": {"get"}, "event.objectRef.resource": {"pods"}},
    ),
    ("event.verb == 'a' || event.verb == 'b'", {"event.verb": {"a", "b"}}),
    ("event.verb == 'a' || event.user == 'b'", {}),
    ("(event.verb == 'a' && event.user == 'u') || event.verb == 'b'", {"event.verb": {"a", "b"}}),
    ("event.verb in ['a', 'b'] && event.verb in ['b', 'c']", {"event.verb": {"b"}}),
    ("event.verb == 'a' && event.verb == 'b'", {"event.verb": set()}),
    ("false || event.verb == 'a'", {"event.verb": {"a"}}),
    ("false && event.verb == 'a'", {"": set()}),
    ("true && event.verb == 'a'", {"event.verb": {"a"}}),
    (
        "event.user == 'u' ? event.verb == 'a' : event.verb == 'b'",
        {"event.verb": {"a", "b"}},
    ),
    ("cel.bind(x, event.user, x == 'u' && event.verb == 'a')", {"event.verb": {"a"}}),
    ("object.metadata.labels['a/b'] == 'x'", {"object.metadata.labels.a/b": {"x"}}),
    ("!(event.verb == 'a')", {}),
    ("event.verb != 'a'", {}),
    ("event.verb == event.user", {}),
    ("event.verb in [event.user, 'a']", {}),
    ("event.code == 403", {}),
    ("event.list.exists(x, event.verb == 'a')", {}),
    ("object.list.all(event, event.verb == 'a')", {}),
]


@pytest.mark.parametrize(("text", "conditions"), CONDITIONS)
def test_conditions_are_read_off_the_tree(text: str, conditions: dict[str, set[str]]) -> None:
    """Equality and membership, through and, or, a choice, and a binding."""
    found = ENVIRONMENT.compile(text).necessary()
    assert {".".join(path): set(values) for path, values in found.items()} == conditions


@pytest.mark.parametrize("text", [text for text, _ in CONDITIONS])
def test_an_event_that_does_not_meet_them_is_never_a_match(text: str) -> None:
    """An index that leaves such events out loses nothing."""
    program = ENVIRONMENT.compile(text)
    conditions = program.necessary()
    for verb, user, resource in itertools.product(
        ("a", "b", "create", "get"), ("u", "v"), ("pods", "x")
    ):
        event = {"verb": verb, "user": user, "objectRef": {"resource": resource}, "code": 403,
                 "list": [1]}  # fmt: skip
        activation = ENVIRONMENT.activation({"event": event, "object": {"x": 2, "list": []}})
        values = {
            ("event", "verb"): verb,
            ("event", "user"): user,
            ("event", "objectRef", "resource"): resource,
        }
        met = all(values[path] in allowed for path, allowed in conditions.items() if path in values)
        if not met or () in conditions:
            assert program.evaluate(activation) is not True
