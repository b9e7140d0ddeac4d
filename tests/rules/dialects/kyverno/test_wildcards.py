"""Wildcards, in linear time."""

from __future__ import annotations

import time

import pytest

from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.kyverno.wildcards import matches


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("nginx", "nginx", True),
        ("nginx", "nginx2", False),
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("*", "anything", True),
        ("ghcr.io/*", "ghcr.io/", True),
        ("ghcr.io/*", "docker.io/a", False),
        ("*:latest", "a:latest", True),
        ("*:latest", "a:latest1", False),
        ("a*b*c", "abc", True),
        ("a*b*c", "axxbxxc", True),
        ("a*b*c", "acb", False),
        ("ab*ba", "aba", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("?*", "", False),
        ("?*", "x", True),
        ("a.c", "abc", False),
        ("[a]*", "[a]b", True),
        ("?", "\n", True),
        ("a?", "aé", True),
    ],
)
def test_a_star_is_any_run_and_a_question_mark_is_one(
    pattern: str, text: str, *, expected: bool
) -> None:
    """Nothing else in a pattern is special."""
    assert matches(pattern, text) is expected


def test_many_stars_do_not_explode() -> None:
    """Both forms of matching are linear: the time is nowhere near what backtracking takes."""
    text = "a" * 50_000
    start = time.perf_counter()
    assert not matches("*a" * 500 + "b", text)
    assert not matches("?*a" * 200 + "b", text[:2000])
    assert time.perf_counter() - start < 5


def test_a_huge_pattern_with_question_marks_is_undecided() -> None:
    """It is refused by its size, before it costs anything."""
    with pytest.raises(UndecidedError, match="cost limit"):
        matches("?" * 5000, "x")
