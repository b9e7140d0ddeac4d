"""The leaf of a pattern: `!*:latest`, `>=1Gi & <=4Gi`, `1-10`, `true`, compiled to a test.

Source: kyverno pkg/engine/pattern and pkg/engine/operator. Comparison is tried as durations, then
as quantities, then (for equality alone) as wildcards.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from shipper.rules.dialects.kyverno.scalars import (
    duration,
    is_number,
    number,
    quantity,
    scientific,
)
from shipper.rules.dialects.kyverno.wildcards import test_of

Test = Callable[[Any], bool]

_PREFIXES = (">=", "<=", ">", "<", "!")
_END = r"([-|+]?\d+(?:\.\d+)?[A-Za-z]*)"
_RANGE = re.compile(rf"{_END}-{_END}", re.ASCII)
_NOT_RANGE = re.compile(rf"{_END}!-{_END}", re.ASCII)
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "": operator.eq,
    "!": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def leaf(pattern: Any) -> Test:
    """The test that a scalar pattern stands for."""
    if isinstance(pattern, str):
        return text_test(pattern)
    if pattern is None:
        return lambda value: not isinstance(value, dict | list) and not value
    if isinstance(pattern, bool):
        return lambda value: value is pattern
    return lambda value: _equals_number(value, pattern)


def is_range(text: str) -> bool:
    """Whether `text` is a range such as `1-10` or `1Mi-1Gi`, and no other operator."""
    return len(text) > 1 and not text.startswith(_PREFIXES) and bool(_RANGE.fullmatch(text))


@lru_cache(maxsize=2048)
def text_test(pattern: str) -> Test:
    """The test of a text: alternatives joined by `|`, of conditions joined by `&`."""
    parts = [
        [_condition(part.strip(" ")) for part in alternative.strip(" ").split("&")]
        for alternative in pattern.split("|")
    ]
    if len(parts) == 1 and len(parts[0]) == 1:
        only = parts[0][0]
        return lambda value: value == pattern or only(value)
    return lambda value: (
        value == pattern or any(all(test(value) for test in tests) for tests in parts)
    )


def _equals_number(value: Any, pattern: float) -> bool:
    if isinstance(value, str):
        return number(value) == pattern
    return is_number(value) and value == pattern


def _condition(text: str) -> Test:
    op = next((prefix for prefix in _PREFIXES if text.startswith(prefix)), "")
    if len(text) < 2:
        op = ""
    if op:
        return _comparison(op, text[len(op) :].strip())
    if bounds := _NOT_RANGE.fullmatch(text):
        below, above = _condition(f"< {bounds[1]}"), _condition(f"> {bounds[2]}")
        return lambda value: below(value) or above(value)
    if bounds := _RANGE.fullmatch(text):
        least, most = _condition(f">= {bounds[1]}"), _condition(f"<= {bounds[2]}")
        return lambda value: least(value) and most(value)
    return _comparison("", text.strip())


def _comparison(op: str, operand: str) -> Test:
    compare = _COMPARE[op]
    spans = [
        (parse, parsed) for parse in (duration, quantity) if (parsed := parse(operand)) is not None
    ]
    equality = op in ("", "!")
    matches, wanted = (test_of(operand) if equality else None), op == ""

    def test(value: Any) -> bool:
        if spans:
            text = _number_text(value)
            for parse, parsed in spans:
                mine = None if text is None else parse(text)
                if mine is not None:
                    return compare(mine, parsed)
        shown = _shown(value) if matches else None
        return matches is not None and shown is not None and matches(shown) is wanted

    return test


def _number_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if value is None:
        return "0"
    if not is_number(value):
        return None
    return str(value) if isinstance(value, int) else f"{value:f}"


def _shown(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if not is_number(value):
        return None
    return str(value) if isinstance(value, int) else scientific(value)
