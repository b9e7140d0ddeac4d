"""The leaves of a pattern."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno.leaf import leaf


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("nginx*", "nginx:1", True),
        ("!*:latest", "a:latest", False),
        ("!*:latest", "a:1", True),
        ("!*:latest", None, False),  # what is not set is not compared
        ("a | b", "b", True),
        ("a|b", "c", False),
        ("!a & !b", "c", True),
        ("!a & !b", "b", False),
        ("a|b", "a|b", True),  # the very text
        (">10", 11, True),
        (">10", "11", True),
        (">10", 10, False),
        (">=1Gi & <=4Gi", "2Gi", True),
        (">=1Gi & <=4Gi", "5G", False),
        ("<1h", "30m", True),
        ("<1h", "61m", False),
        ("1-10", 5, True),
        ("1-10", 11, False),
        ("1!-10", 11, True),
        ("1!-10", 5, False),
        ("1Mi-1Gi", "512Mi", True),
        ("-5--1", -3, True),
        ("0", None, True),
        ("?*", None, False),
        ("?*", "x", True),
        ("?*", 5, True),
        ("true", True, True),
        (True, True, True),
        (True, "true", False),
        (5, 5, True),
        (5, 5.0, True),
        (5, "5", True),
        (5, "x", False),
        (5, True, False),
        (1.5, "1.5", True),
        (None, None, True),
        (None, 0, True),
        (None, "", True),
        (None, "x", False),
        (None, {}, False),
        (">", ">", True),
    ],
)
def test_a_leaf(pattern: Any, value: Any, *, expected: bool) -> None:
    """Durations are tried first, then quantities, then wildcards."""
    assert leaf(pattern)(value) is expected
