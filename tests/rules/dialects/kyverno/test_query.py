"""JMESPath as Kyverno asks it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shipper.rules.dialects.kyverno.errors import EvaluationError, NotFoundError, UndecidedError
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.query import Interpreter, QueryError, compiled

_DATA = {
    "a": {"b": [1, 2, 3], "n": None},
    "l": [{"x": 1}, {"y": 2}, {"x": 3}],
    "s": "text",
    "z": 0,
}


def _ask(text: str, data: Any = _DATA) -> Any:
    return Interpreter(Meter()).ask(compiled(text), data)


@pytest.mark.parametrize("text", ["q", "a.q", "a.q.r", "a.b && a.q", "l[0].q"])
def test_the_head_of_a_path_must_be_there(text: str) -> None:
    """A field that a map has not is an error, and names itself."""
    with pytest.raises(NotFoundError, match="unknown key"):
        _ask(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q || 'none'", "none"),
        ("a.n.q", None),  # below null all is null
        ("s.q", None),
        ("l[].x", [1, 3]),
        ("l[?x > `1`]", [{"x": 3}]),
        ("l[?x]", [{"x": 1}, {"x": 3}]),
        ("not_null(q, s)", "text"),
        ("{a: q, b: s}", {"a": None, "b": "text"}),
        ("[q, s]", [None, "text"]),
        ("!q", True),
        ("!z", False),
        ("q == `null`", True),
        ("'a' < 'b'", None),  # order is of numbers alone
        ("`1` == `true`", False),
        ("a.b[-1]", 3),
        ("a.b[:2]", [1, 2]),
        ("q | s", None),
        ("a.*", [[1, 2, 3]]),
        ("q[]", None),
        ("q.*", None),
        ("keys(@) | sort(@)", ["a", "l", "s", "z"]),
    ],
)
def test_elsewhere_what_is_not_there_is_null(text: str, expected: Any) -> None:
    """Alternatives, filters, projections, functions and new values take it for null."""
    assert _ask(text) == expected


def test_wrong_types_are_errors() -> None:
    """As values of the rule, not of the program."""
    with pytest.raises(EvaluationError):
        _ask("length(`5`)")


def test_what_is_no_jmespath_is_refused() -> None:
    """At load, with its reason."""
    for text in ("", "a[", "a ||", "{{"):
        with pytest.raises(QueryError):
            compiled(text)


@pytest.mark.parametrize(
    "text",
    ["a" * 20_000, "(" * 3000 + "a" + ")" * 3000, "!" * 200 + "a", "||".join(["a"] * 200)],
)
def test_a_query_that_is_too_long_or_too_deep_is_undecided(text: str) -> None:
    """It is refused before it is asked."""
    with pytest.raises(UndecidedError, match="cost limit"):
        compiled(text)


@pytest.mark.parametrize(
    "text",
    [
        "|".join(["[@, @]"] * 50) + "|[]" * 50,
        "|".join(["join('', [@, @])"] * 50),
        "|".join(["to_string([@, @])"] * 50),
        "|".join(["replace_all(@, '', @)"] * 20),
        "|".join(["regex_replace_all('(.*)', @, '$1$1$1')"] * 50),
        "|".join(["map(&[@, @], [@, @])[]"] * 40),
        ".".join(["[@, @]"] * 40),
        f"({'|'.join(['[@, @]'] * 40)}) == ({'|'.join(['[@, @]'] * 40)})",
        f"contains([{'|'.join(['[@, @]'] * 40)}], {'|'.join(['[@, @]'] * 40)})",
    ],
)
def test_a_query_that_grows_without_end_is_undecided(text: str) -> None:
    """Steps and text are counted: it ends soon, and says why."""
    start = time.perf_counter()
    with pytest.raises(UndecidedError, match=r"cost limit|too"):
        _ask(text, "abcdefgh" * 10)
    assert time.perf_counter() - start < 5


def test_a_function_that_is_not_known_is_undecided() -> None:
    """A newer Kyverno may have it."""
    with pytest.raises(UndecidedError, match="not known here"):
        _ask("brand_new(s)")
