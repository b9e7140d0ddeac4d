"""Compiling: what is refused, and where it says the mistake is."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.rules.cel import CompileError, Environment
from shipper.rules.cel.environment import MAX_TEXT_CHARS
from shipper.rules.cel.program import Expect
from tests.rules.cel.asking import ENVIRONMENT, ask

REFUSED: list[tuple[str, Expect, int, int, str]] = [
    ("event.verb ==", "bool", 1, 14, "Syntax error"),
    ("event.verb == 'a' &&\n  nonsense", "bool", 2, 3, "undeclared reference to 'nonsense'"),
    ("1 + 'a' == 2", "bool", 1, 3, "no matching overload"),
    ("size(event.verb)", "bool", 1, 1, "must be bool, but is int"),
    ("'create'", "bool", 1, 1, "must be bool, but is string"),
    ("optional.of(true)", "bool", 1, 1, "must be bool"),
    ("event.?user", "string", 1, 1, "orValue"),
    ("", "bool", 1, 1, "Syntax error"),
    ("quantity('1') == '1'", "bool", 1, 15, "no matching overload"),
    ("@matches('a', 'a')", "bool", 1, 1, "Syntax error"),
    ("google.protobuf.Duration{seconds: 1} == duration('1s')", "bool", 1, 1, "message literals"),
    ("(" * 100 + "true" + ")" * 100, "bool", 1, 1, "recursion"),
    ("[" * 100 + "]" * 100, "any", 1, 1, "recursion"),
    ("'" + "a" * MAX_TEXT_CHARS + "' == ''", "bool", 1, 1, "longer than"),
]


@pytest.mark.parametrize(("text", "expect", "line", "column", "reason"), REFUSED)
def test_a_mistake_is_refused_with_its_place(
    text: str, expect: Expect, line: int, column: int, reason: str
) -> None:
    """Line and column count from 1; the reason is one line without the engine's own terms."""
    with pytest.raises(CompileError) as refusal:
        ENVIRONMENT.compile(text, expect=expect)
    error = refusal.value
    assert reason in error.reason
    assert "\n" not in error.reason
    assert "INVALID_ARGUMENT" not in error.reason
    if "Syntax" not in error.reason:
        assert (error.line, error.column) == (line, column)


def test_a_type_that_only_the_data_decides_may_be_bool() -> None:
    """`event.flag` may be a bool, so it is not refused; if it is none, that is an error."""
    program = ENVIRONMENT.compile("event.flag")
    yes = ENVIRONMENT.activation({"event": {"flag": True}})
    no = ENVIRONMENT.activation({"event": {"flag": "true"}})
    assert program.evaluate(yes) is True
    assert program.evaluate(no).kind == "error"


def test_a_dialect_may_have_more_variables() -> None:
    """A name that is not declared is refused; one that a dialect adds is not."""
    with pytest.raises(CompileError):
        ENVIRONMENT.compile("variables.x == 1")
    dialect = Environment(("object", "variables"))
    activation = dialect.activation({"variables": {"x": 1}})
    assert dialect.compile("variables.x == 1").evaluate(activation) is True


def test_a_value_of_an_opaque_type_may_become_a_variable() -> None:
    """A policy's variable is evaluated once and asked for by many: a quantity stays one."""
    dialect = Environment(("object", "variables"))
    limit = ask("quantity(object)", object="1.5Gi")
    activation = dialect.activation({"variables": {"limit": limit}})
    small = dialect.compile("variables.limit.isLessThan(quantity('2Gi'))")
    assert small.evaluate(activation) is True


def test_long_alternatives_compile() -> None:
    """A list of conditions as long as people write it is not nested too deeply."""
    text = " || ".join(f"event.user.username == 'user-{i}'" for i in range(300))
    assert ask(text, event={"user": {"username": "user-299"}}) is True


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab.?[](){}'\"\\/ \n01&|!=<>+-*%,:@eventverb"), max_size=60))
def test_any_text_is_a_program_or_a_compile_error(text: str) -> None:
    """Nothing but CompileError is raised, whatever stands in a rule."""
    with suppress(CompileError):
        program = ENVIRONMENT.compile(text, expect="any")
        program.evaluate(ENVIRONMENT.activation({"event": {"verb": "create"}}))
