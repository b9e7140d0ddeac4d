"""What is done to a failure."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno import Kyverno
from tests.rules.dialects.kyverno.policies import pod, policy, verdicts
from tests.rules.dialects.objects import linked, only, review

_SHOP = [{"action": "Enforce", "namespaces": ["shop"]}]


@pytest.mark.parametrize(
    ("validate", "spec", "expected"),
    [
        ({}, {}, "audit"),
        ({}, {"validationFailureAction": "enforce"}, "deny"),
        ({}, {"validationFailureAction": "Audit", "emitWarning": True}, "warn"),
        ({"failureAction": "Audit"}, {"validationFailureAction": "Enforce"}, "audit"),
        ({"failureAction": "Enforce"}, {}, "deny"),
        ({"failureAction": "Audit", "failureActionOverrides": _SHOP}, {}, "deny"),
        ({}, {"validationFailureActionOverrides": _SHOP}, "deny"),
        ({}, {"validationFailureActionOverrides": [{**_SHOP[0], "namespaces": ["x*"]}]}, "audit"),
        ({}, {"validationFailureAction": "Enforce", "admission": False}, "audit"),
    ],
)
def test_the_rules_own_words_come_first(
    validate: dict[str, Any], spec: dict[str, Any], expected: str
) -> None:
    """Then the policy's, and audit if nobody says."""
    (verdict,) = verdicts(policy({"deny": {}, **validate}, spec=spec), pod())
    assert verdict.action == expected


def test_an_override_may_select_namespaces_by_label() -> None:
    """What is not known of a Namespace overrides nothing."""
    selector = {"matchLabels": {"tier": "prod"}}
    overrides = [{"action": "Enforce", "namespaceSelector": selector}]
    document = policy({"deny": {}}, spec={"validationFailureActionOverrides": overrides})
    prod = {"metadata": {"name": "shop", "labels": {"tier": "prod"}}}
    assert verdicts(document, review(pod(), namespace_object=prod))[0].action == "deny"
    assert verdicts(document, pod())[0].action == "audit"
    assert only(linked(Kyverno(), document)).action == "deny"
