"""Overlays: anchors, lists, wildcards in keys."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno.errors import UndecidedError
from shipper.rules.dialects.kyverno.meter import Meter
from shipper.rules.dialects.kyverno.pattern import Mismatch, compiled


def _match(pattern: Any, value: Any) -> Mismatch | None:
    return compiled(pattern)(value, (), Meter())


def _says(pattern: Any, value: Any) -> str:
    missed = _match(pattern, value)
    return "holds" if missed is None else "skips" if missed.skips else "fails"


_LATEST = {"containers": [{"(image)": "*:latest", "imagePullPolicy": "Always"}]}


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ({"a": "?*"}, {"a": "x"}, "holds"),
        ({"a": "?*"}, {}, "fails"),
        ({"a": "*"}, {"a": {}}, "holds"),
        ({"a": "*"}, {}, "fails"),
        ({"a": {"b": 1}}, {"a": "x"}, "fails"),
        # equality: if it is there
        ({"=(a)": {"b": 1}}, {}, "holds"),
        ({"=(a)": {"b": 1}}, {"a": {"b": 2}}, "fails"),
        # negation
        ({"X(a)": "null"}, {}, "holds"),
        ({"X(a)": "null"}, {"a": None}, "fails"),
        # condition
        (_LATEST, {"containers": [{"image": "a:latest", "imagePullPolicy": "Always"}]}, "holds"),
        (_LATEST, {"containers": [{"image": "a:latest"}]}, "fails"),
        (_LATEST, {"containers": [{"image": "a:1"}]}, "skips"),
        (_LATEST, {"containers": [{"image": "a:1"}, {"image": "a:latest"}]}, "fails"),
        ({"(a)": 1, "b": 2}, {"b": 3}, "skips"),
        # a condition that fails silences a sibling's failure
        ({"(a)": 1, "=(b)": 2}, {"a": 0, "b": 3}, "skips"),
        # global
        ({"<(a)": 1, "b": 2}, {"a": 2, "b": 3}, "skips"),
        ({"<(a)": 1, "b": 2}, {"b": 3}, "fails"),
        ({"x": {"<(a)": 1}, "b": 2}, {"x": {"a": 2}, "b": 3}, "skips"),
        # existence
        ({"^(a)": [{"n": "x"}]}, {"a": [{"n": "y"}, {"n": "x"}]}, "holds"),
        ({"^(a)": [{"n": "x"}]}, {"a": [{"n": "y"}]}, "fails"),
        ({"^(a)": [{"n": "x"}]}, {}, "holds"),
        ({"^(a)": {"n": "x"}}, {"a": []}, "fails"),
        ({"^(a)": [{"n": "x"}]}, {"a": "x"}, "fails"),
        # lists
        ({"a": ["x*"]}, {"a": ["x1", "x2"]}, "holds"),
        ({"a": ["x*"]}, {"a": ["x1", "y"]}, "fails"),
        ({"a": ["x*"]}, {"a": "x1"}, "fails"),
        ({"a": "x*"}, {"a": ["x1"]}, "holds"),
        ({"a": []}, {"a": []}, "fails"),
        ({"a": [["x"], ["y"]]}, {"a": [["x"], ["y"]]}, "holds"),
        ({"a": [["x"], ["y"]]}, {"a": [["x"]]}, "fails"),
        # `+(a)` is for mutation: here it is only a strange key
        ({"+(a)": 1}, {"a": 1}, "fails"),
    ],
)
def test_a_pattern(pattern: Any, value: Any, expected: str) -> None:
    """As kyverno/pkg/engine/validate has it."""
    assert _says(pattern, value) == expected


def test_the_place_of_a_failure_is_known() -> None:
    """It leads to the very field."""
    missed = _match({"spec": {"containers": [{"image": "x"}]}}, {"spec": {"containers": [{}]}})
    assert missed is not None
    assert missed.path == ("spec", "containers", 0, "image")


def test_keys_of_labels_may_have_wildcards() -> None:
    """`corp.com/*` is the first label of the object that it matches; anchors stay."""
    pattern = {"metadata": {"labels": {"corp.com/*": "?*"}}}
    assert _says(pattern, {"metadata": {"labels": {"a": "b", "corp.com/team": "x"}}}) == "holds"
    assert _says(pattern, {"metadata": {"labels": {"a": "b"}}}) == "fails"
    assert _says(pattern, {"metadata": {}}) == "fails"
    spared = {"=(metadata)": {"=(annotations)": {"X(corp.com/*)": "?*"}}}
    assert _says(spared, {"metadata": {"annotations": {"corp.com/x": ""}}}) == "fails"
    assert _says(spared, {"metadata": {"annotations": {"x": ""}}}) == "holds"


def test_an_object_that_a_pattern_multiplies_is_undecided() -> None:
    """Existence anchors compare each with each: the product is bounded, not the time it takes."""
    pattern = {"^(a)": [{"n": str(at)} for at in range(1000)]}
    with pytest.raises(UndecidedError, match="cost limit"):
        _match(pattern, {"a": [{"n": str(at)} for at in range(1000)]})
