"""Label selectors."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.selectors import SelectorError, selects

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
