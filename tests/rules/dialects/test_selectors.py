"""Label selectors."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.selectors import Selector, SelectorError, selects

LABELS = {"app": "web", "tier": "front"}


def _expression(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "back"}}, False),
        ({"matchLabels": {"none": ""}}, False),
        (_expression("In", "app", "api", "web"), True),
        (_expression("In", "none", "web"), False),
        (_expression("NotIn", "app", "web"), False),
        (_expression("NotIn", "none", "web"), True),
        (_expression("Exists", "tier"), True),
        (_expression("DoesNotExist", "tier"), False),
        ({"matchLabels": {"app": "web"}} | _expression("Exists", "none"), False),
    ],
)
def test_a_selector_selects(selector: dict[str, Any], found: bool) -> None:
    """As the API server's does: all of its parts must hold."""
    assert selects(selector, LABELS) is found


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": ["app"]},
        {"matchExpressions": {"key": "app"}},
        {"matchExpressions": ["app"]},
        _expression("Like", "app"),
        {"matchExpressions": [{"operator": "Exists"}]},
    ],
)
def test_a_selector_that_is_none_is_refused(selector: dict[str, Any]) -> None:
    """It must not quietly select nothing: the policy would look as if it held."""
    with pytest.raises(SelectorError):
        selects(selector, LABELS)


@pytest.mark.parametrize(
    ("selector", "complete", "chosen"),
    [
        ({}, True, "yes"),
        ({}, False, "yes"),
        ({"matchLabels": {"app": "web"}}, False, "yes"),
        ({"matchLabels": {"app": "api"}}, True, "no"),
        (_expression("Exists", "none"), True, "no"),
        (_expression("Exists", "none"), False, "unknown"),
        (_expression("NotIn", "app", "web"), True, "excluded"),
        (_expression("DoesNotExist", "app"), False, "excluded"),
        ({"matchLabels": {"app": "api"}} | _expression("NotIn", "tier", "front"), True, "no"),
        ({"matchLabels": {"none": "x"}} | _expression("NotIn", "app", "web"), False, "excluded"),
        ({"matchLabels": {"none": "x"}} | _expression("NotIn", "app", "api"), False, "unknown"),
    ],
)
def test_a_choice_tells_an_exclusion_from_what_was_never_meant(
    selector: dict[str, Any], complete: bool, chosen: str
) -> None:
    """And what is not known from both: it is never a pass."""
    assert Selector(selector).choose(LABELS, complete=complete) == chosen


def test_a_choice_refuses_what_is_malformed() -> None:
    """As the plain question does."""
    with pytest.raises(SelectorError):
        Selector(_expression("Like", "app"))
