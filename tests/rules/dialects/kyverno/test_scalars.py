"""Durations, quantities, and numbers as Go writes them."""

from __future__ import annotations

import pytest

from shipper.rules.dialects.kyverno.scalars import (
    duration,
    duration_text,
    integer,
    number,
    quantity,
    scientific,
    sprint,
)

_SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1h30m", 5400 * _SECOND),
        ("-1.5s", -1_500_000_000),
        ("100ms", 100_000_000),
        ("2us", 2000),
        ("1", None),
        ("1d", None),
        ("", None),
        ("h", None),
        ("9" * 300 + "s", None),
    ],
)
def test_durations_are_gos(text: str, expected: int | None) -> None:
    """A bare number but 0 is none, and days are none."""
    assert duration(text) == expected


def test_a_duration_is_written_as_go_writes_it() -> None:
    """With every unit from the largest that counts, fractions only of seconds and below."""
    spans = (0, 1, 1500, 2_500_000, 90 * _SECOND, 3600 * _SECOND, -5_430_500_000_000)
    written = ["0s", "1ns", "1.5µs", "2.5ms", "1m30s", "1h0m0s", "-1h30m30.5s"]
    assert [duration_text(span) for span in spans] == written


def test_quantities_compare_across_suffixes() -> None:
    """1Gi is more than 1G; 1000m is 1."""
    assert (quantity("1Gi") or 0) > (quantity("1G") or 0)
    assert quantity("1000m") == quantity("1")
    assert quantity("one") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "5"),
        (0, "0"),
        (100000, "100000"),
        (1000000, "1e+06"),
        (0.5, "0.5"),
        (0.00001, "1e-05"),
        (-2.0, "-2"),
        (True, "true"),
        (None, "<nil>"),
        (["a", 1], "[a 1]"),
        ({"b": 1, "a": False}, "map[a:false b:1]"),
    ],
)
def test_a_value_is_shown_as_go_shows_a_float64(value: object, expected: str) -> None:
    """What the membership operators compare."""
    assert sprint(value) == expected


def test_a_number_in_scientific_form() -> None:
    """With the shortest digits, and at least two for the exponent."""
    assert [scientific(value) for value in (0.0, 5.0, 1.25, -12000.0, 1e-7)] == [
        "0E+00", "5E+00", "1.25E+00", "-1.2E+04", "1E-07",
    ]  # fmt: skip


def test_numbers_in_texts_are_bounded() -> None:
    """Python's own readings (underscores, blanks, huge integers) are none."""
    assert [number(text) for text in ("1_0", " 1", "1e5", "x", "9" * 5000)] == [
        None, None, 100000.0, None, None,
    ]  # fmt: skip
    assert [integer(text) for text in ("12", "1.0", "9" * 5000)] == [12, None, None]
