"""Evaluating: values, and errors that are values."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.rules.cel import CelError
from tests.rules.cel.asking import ENVIRONMENT, ask, ask_for

TEXTS = [
    ("'nginx'", "nginx"),
    ("true", "true"),
    ("null", "null"),
    ("7", "7"),
    ("7u", "7"),
    ("1.0", "1"),
    ("1.5", "1.5"),
    ("b'hi'", "hi"),
    ("[1, 'a', null]", '[1,"a",null]'),
    ("{'a': [true]}", '{"a":[true]}'),
    ("timestamp('2026-01-01T00:00:00Z')", "2026-01-01T00:00:00Z"),
    ("duration('1h')", "3600s"),
    ("duration('1.5s')", "1.5s"),
    ("quantity('1.5Gi')", "1610612736"),
    ("quantity('100m')", "0.1"),
    ("ip('2001:DB8::1')", "2001:db8::1"),
    ("cidr('10.0.0.0/8')", "10.0.0.0/8"),
    ("url('/path')", "/path"),
    ("semver('1.2.3-rc.1')", "1.2.3-rc.1"),
    ("event.user.username", "bob"),
    ("event.code", "403"),
]


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_a_message_gets_the_text_form_of_any_value(text: str, shown: str) -> None:
    """What stands in a message is what `string()` gives, and JSON for lists and maps."""
    event = {"user": {"username": "bob"}, "code": 403}
    assert ask_for("string", text, event=event) == shown


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("event", {"a": [1, None, "x"], "b": {"c": 1.5, "d": False}}),
        ("event.a.map(x, x)", [1, None, "x"]),
        ("event.a[1]", None),
    ],
)
def test_a_plain_value_comes_back_as_it_went_in(text: str, value: Any) -> None:
    """Lists, maps and nulls are Python's own."""
    assert ask(text, event={"a": [1, None, "x"], "b": {"c": 1.5, "d": False}}) == value


def test_a_variable_that_is_not_bound_is_named() -> None:
    """What depends on it is unknown, and says on what."""
    answer = ask(
        "object.spec.hostNetwork == true && event.verb == 'create'", event={"verb": "create"}
    )
    assert answer == CelError("unbound", "object is not known here", "object")


@pytest.mark.parametrize("text", ["object.x && false", "false && object.x", "!(object.x || true)"])
def test_an_unbound_variable_that_does_not_matter_is_no_error(text: str) -> None:
    """False and unknown is false, whichever comes first."""
    assert ask(text) is False


def test_an_error_names_what_the_expression_names_and_nothing_of_the_data() -> None:
    """The reason may stand in a log and in an alert."""
    assert ask("event.user.name", event={"user": {}}).reason == 'no such key: "name"'
    secret = ask("{'a': 1}[event.key]", event={"key": "hunter2"})
    assert secret.kind == "error"
    assert "hunter2" not in secret.reason


def test_an_optional_has_no_plain_value() -> None:
    """A result that is optional is an error that says what to do."""
    assert "orValue" in ask("event.?verb", event={}).reason


def test_programs_serve_several_threads() -> None:
    """Programs that keep count of their cost do not disturb each other."""
    texts = [f"event.list.map(x, x + {i}).sum() == {19900 + 200 * i}" for i in range(8)]
    programs = [ENVIRONMENT.compile(text) for text in texts]

    def evaluate(_: int) -> list[Any]:
        activation = ENVIRONMENT.activation({"event": {"list": list(range(200))}})
        return [program.evaluate(activation) for program in programs]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(evaluate, range(20)))
    assert answers == [[True] * 8] * 20


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

_PROGRAMS = [
    ENVIRONMENT.compile(text, expect="any")
    for text in (
        "event",
        "event == object",
        "event.a",
        "event[0] in object",
        "event.all(x, x == object)",
        "event.map(x, string(x)).join(',')",
        "event.matches('a') || event.contains(object)",
        "quantity(event).isLessThan(quantity('1')) && ip(object).isLoopback()",
        "event.sum() + event.max() > 1 || event.indexOf(object) == 1",
        "url(event).getQuery() == {} || sets.intersects(event, object)",
        "semver(event).major() > 1 || cidr(object).containsIP(event)",
        "event.split(object).distinct().size() > 1",
        "timestamp(event) < timestamp(object) || duration(event) < duration(object)",
        "format.dns1123Label().validate(event).hasValue()",
        "event.transformMap(k, v, v) == object",
    )
]


@settings(max_examples=150, deadline=None)
@given(_json, _json)
def test_any_data_is_a_value_or_an_error(event: Any, other: Any) -> None:
    """Wrong types in every place, huge numbers, NULs, surrogates: nothing raises."""
    activation = ENVIRONMENT.activation({"event": event, "object": other})
    for program in _PROGRAMS:
        answer = program.evaluate(activation)
        if isinstance(answer, CelError):
            assert answer.kind in ("error", "cost")
            assert answer.reason


def test_a_number_beyond_64_bits_is_a_double() -> None:
    """As in Kubernetes; the rest of the event is not lost with it."""
    event = {"huge": 10**30, "vast": -(10**400), "verb": "create"}
    assert ask("event.verb == 'create' && event.huge > 1e29", event=event) is True
    assert ask("event.vast", event=event) == -math.inf
