"""Expressions that nobody would write, on data that nobody would send: nothing crashes."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest

from shipper.rules.cel import CelError, CompileError, constant
from shipper.rules.cel.library import FUNCTIONS
from shipper.rules.cel.library.declared import DECLARED
from tests.rules.cel.asking import ENVIRONMENT

_VALUES = (
    "event", "object", "event.a", "event.l", "event.m", "event.s", "event.?a", "event[?'l']", "1",
    "2u", "1.5", "'a'", "'1Gi'", "'10.0.0.1'", "'/p?a=b'", "b'a'", "true", "null", "[]", "{}",
    "optional.none()", "duration('1s')", "timestamp('2026-01-01T00:00:00Z')", "x", "params.p",
    "authorizer",
)  # fmt: skip
_OPERATORS = ("+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in")
_MACROS = ("all", "exists", "exists_one", "map", "filter", "sortBy", "optMap", "optFlatMap")
_TWO_VARIABLES = ("all", "transformList", "transformMap")
_OWN = [
    (function.name, bool(function.receiver), len(function.parameters))
    for functions in (FUNCTIONS, DECLARED)
    for function in functions
    if "@" not in function.name and "_" not in function.name
]
_ENGINES = [
    ("size", False, 1), ("contains", True, 1), ("startsWith", True, 1), ("matches", True, 1),
    ("first", True, 0), ("distinct", True, 0), ("flatten", True, 0), ("slice", True, 2),
    ("sort", True, 0), ("reverse", True, 0), ("lists.range", False, 1), ("value", True, 0),
    ("sets.contains", False, 2), ("hasValue", True, 0), ("orValue", True, 1), ("or", True, 1),
    ("optional.of", False, 1), ("dyn", False, 1), ("type", False, 1), ("int", False, 1),
]  # fmt: skip

_DATA: list[object] = [
    {"a": [1, 2, None], "l": ["a", {"q": 1}], "m": {"k": 1, "j": {"z": [1]}}, "s": "abc"},
    {"a": "x", "l": 5, "m": [{"a": 1}], "s": None},
    {"a": "1Gi", "l": ["10.0.0.1"], "s": "1.2.3", "m": {"k": "10.0.0.0/8"}},
    [1, "a", None, {"k": []}],
    "text",
]


class _Writer:
    """Writes expressions of a depth."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def any(self, depth: int) -> str:
        if depth == 0:
            return self.random.choice(_VALUES)
        forms = (self._operation, self._call, self._call, self._macro, self._list, self._map,
                 self._choice, self._binding, self._part)  # fmt: skip
        return self.random.choice(forms)(depth - 1)

    def _operation(self, depth: int) -> str:
        return f"({self.any(depth)} {self.random.choice(_OPERATORS)} {self.any(depth)})"

    def _call(self, depth: int) -> str:
        name, member, arity = self.random.choice(_OWN + _ENGINES)
        call = f"{name}({', '.join(self.any(depth) for _ in range(arity))})"
        return f"{self.any(depth)}.{call}" if member else call

    def _macro(self, depth: int) -> str:
        if self.random.random() < 0.3:
            macro = self.random.choice(_TWO_VARIABLES)
            return f"{self.any(depth)}.{macro}(x, y, {self.any(depth)})"
        return f"{self.any(depth)}.{self.random.choice(_MACROS)}(x, {self.any(depth)})"

    def _list(self, depth: int) -> str:
        return f"[{self.random.choice(('', '?'))}{self.any(depth)}, {self.any(depth)}]"

    def _map(self, depth: int) -> str:
        key = self.random.choice(("'k'", "1", "true", "x"))
        return f"{{{self.random.choice(('', '?'))}{key}: {self.any(depth)}}}"

    def _choice(self, depth: int) -> str:
        return f"({self.any(depth)} ? {self.any(depth)} : {self.any(depth)})"

    def _binding(self, depth: int) -> str:
        return f"cel.bind(x, {self.any(depth)}, {self.any(depth)})"

    def _part(self, depth: int) -> str:
        part = self.random.choice((".a", ".?l", "[0]", "[?0]", "['k']", f"[{self.any(depth)}]"))
        return self.any(depth) + part


@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_compiles_raises_or_crashes(seed: int) -> None:
    """Each is refused at load or has a value or an error for any data."""
    writer = _Writer(seed)
    bound = [{"event": one, "object": one, "params": {"p": one}} for one in _DATA]
    activations = [ENVIRONMENT.activation(variables) for variables in bound]
    for _ in range(1500):
        with suppress(CompileError):
            program = ENVIRONMENT.compile(writer.any(writer.random.randint(1, 4)), expect="any")
            for activation in activations:
                answer = program.evaluate(activation)
                assert not isinstance(answer, CelError) or " object at " not in answer.reason


@pytest.mark.parametrize("seed", range(2))
def test_constants_change_no_answer(seed: int) -> None:
    """An expression with its parameters put in says what it says of parameters that are bound."""
    writer = _Writer(seed)
    # Maps of one key each: the engine goes through others in an order of its own.
    values = [{"p": one} for one in ({"a": [1, 2, None]}, {"k": {"a": 1}}, [1, "a"], "1Gi", None)]
    others = {"event": {"l": ["a", {"q": 1}]}}
    without = ENVIRONMENT.activation(others)
    bound = [ENVIRONMENT.activation({**others, "params": value}) for value in values]
    compared = 0
    for _ in range(600):
        text = writer.any(writer.random.randint(1, 4)).replace("object", "params.p")
        with suppress(CompileError):
            main = ENVIRONMENT.part(text)
            program = ENVIRONMENT.program(main)
            for value, activation in zip(values, bound, strict=True):
                known = ENVIRONMENT.program(main, {"params": constant(value)})
                expected, found = program.evaluate(activation), known.evaluate(without)
                assert _alike(expected, found), (text, value, expected, found)
                compared += 1
    assert compared > 300


def _alike(expected: Any, found: Any) -> bool:
    if isinstance(expected, CelError) or isinstance(found, CelError):
        kinds = {getattr(one, "kind", "") for one in (expected, found)}
        return len(kinds) == 1 or "cost" in kinds  # the bill of a literal is another
    return repr(expected) == repr(found)
