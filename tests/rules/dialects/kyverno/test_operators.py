"""The operators of conditions."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.operators import operator_of


def _holds(key: Any, operator: str, value: Any) -> bool:
    found = operator_of(operator)
    assert found is not None
    return found(key, value, Meter())


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("a", "Equals", "a", True),
        ("abc", "Equals", "a*", True),
        ("a*", "Equals", "abc", False),
        ("1h", "Equals", "60m", True),
        ("1h", "Equals", 3600, True),
        ("1Gi", "Equals", "1024Mi", True),
        ("1", "Equals", "x", False),
        (1, "Equals", "1", True),
        (1, "Equals", 1.0, True),
        (1, "Equals", True, False),
        (True, "Equals", True, True),
        (True, "Equals", "true", False),
        ([1, {"a": 2}], "Equals", [1, {"a": 2}], True),
        ([True], "Equals", [1], False),
        ({}, "Equals", [], False),
        (None, "Equals", None, False),
        ("a", "NotEquals", "b", True),
        ("a", "NotEquals", 1, True),
        ("1", "NotEquals", "", True),
        (None, "NotEquals", "a", False),
        ("a", "notequals", "a", False),
        ("a", "AnyIn", ["a", "b"], True),
        ("abc", "AnyIn", ["a*"], True),
        ("a*", "AnyIn", ["abc"], True),
        (["x", "b"], "AnyIn", ["a", "b"], True),
        (["x"], "AnyIn", ["a", "b"], False),
        ("a", "AnyIn", '["a", "b"]', True),
        (5, "AnyIn", "1-10", True),
        ([5, 50], "AnyIn", "1-10", True),
        ([5], "AnyIn", 5, True),
        ("a", "AnyIn", 5, False),
        ([], "AnyIn", ["a"], False),
        (None, "AnyIn", ["a"], False),
        (["a", "b"], "AllIn", ["a", "b", "c"], True),
        (["a", "x"], "AllIn", ["a", "b", "c"], False),
        ([5, 6], "AllIn", "1-10", True),
        ([], "AllIn", ["a"], True),
        (["a", "x"], "AnyNotIn", ["a"], True),
        (["a"], "AnyNotIn", ["a"], False),
        ("x", "AnyNotIn", ["a"], True),
        ([5, 50], "AnyNotIn", "1-10", True),
        (["x", "y"], "AllNotIn", ["a"], True),
        (["x", "a"], "AllNotIn", ["a"], False),
        ([], "AllNotIn", ["a"], True),
        (["x"], "AllNotIn", None, False),
        (["a"], "In", ["a", "b"], True),
        (["a", "x"], "In", ["a", "b"], False),
        (["a*"], "In", ["ab"], False),
        (["a", "x"], "NotIn", ["a", "b"], True),
        ("a", "In", "not a list", False),
        ("a", "NotIn", "not a list", False),
        (5, "GreaterThan", 4, True),
        ("5", "GreaterThan", 4, True),
        ("500m", "LessThan", "1", True),
        ("1h", "GreaterThanOrEquals", "60m", True),
        ("1h", "LessThanOrEquals", 3600, True),
        ("1.2.3", "LessThan", "1.10.0", True),
        ("x", "LessThan", 5, False),
        (True, "GreaterThan", 0, False),
        ([5], "GreaterThan", 4, False),
        ("1h", "DurationGreaterThan", "30m", True),
        (90, "DurationLessThan", "1m", False),
        ("x", "DurationLessThan", "1m", False),
    ],
)
def test_an_operator(key: Any, operator: str, value: Any, *, expected: bool) -> None:
    """Types that do not fit are no error: the answer is no, or for NotEquals yes."""
    assert _holds(key, operator, value) is expected


def test_an_operator_that_there_is_not() -> None:
    """It is no operator, in whatever case."""
    assert operator_of("Like") is None
