"""Rules for pods that speak of their controllers too."""

from __future__ import annotations

from typing import Any

import pytest

from shipper.rules.dialects.kyverno.autogen import ANNOTATION, generated
from tests.rules.dialects.kyverno.policies import (
    PODS,
    cron_job,
    deployment,
    policy,
    says,
    verdicts,
)

_LATEST = {"containers": [{"name": "web", "image": "nginx:latest"}]}
_PATTERN = {"pattern": {"spec": {"containers": [{"image": "!*:latest"}]}}}


def test_a_pattern_moves_into_the_template() -> None:
    """And the place of the failure with it."""
    rule = policy(_PATTERN)
    (verdict,) = verdicts(rule, deployment(_LATEST))
    assert verdict.rule == "autogen-check"
    assert verdict.path == ("spec", "template", "spec", "containers", 0, "image")
    (verdict,) = verdicts(rule, cron_job(_LATEST))
    assert verdict.rule == "autogen-cronjob-check"
    assert verdict.path[:3] == ("spec", "jobTemplate", "spec")


def test_variables_move_too() -> None:
    """In conditions, loops, messages, contexts."""
    key = "{{ request.object.spec.containers[].image }}"
    condition = {"key": key, "operator": "AnyIn", "value": ["*:latest"]}
    deny = policy({"deny": {"conditions": {"any": [condition]}}})
    loop = {"list": "request.object.spec.containers", "pattern": {"image": "!*:latest"}}
    for rule in (deny, policy({"foreach": [loop]}), policy({"anyPattern": [_PATTERN["pattern"]]})):
        assert says(rule, deployment(_LATEST)) == "fail"
        assert says(rule, cron_job(_LATEST)) == "fail"
    labels = {"key": "{{ request.object.metadata.labels.a }}", "operator": "Equals", "value": "b"}
    assert says(policy({"deny": {"conditions": {"any": [labels]}}}), deployment(_LATEST)) == "fail"


def test_the_annotation_says_for_which_controllers() -> None:
    """`none` for none."""
    rule = policy(_PATTERN)
    for value, found in (("none", "nothing"), ("StatefulSet", "nothing"), ("Deployment", "fail")):
        rule["metadata"]["annotations"] = {ANNOTATION: value}
        assert says(rule, deployment(_LATEST)) == found
        assert says(rule, cron_job(_LATEST)) == "nothing"


@pytest.mark.parametrize(
    "match",
    [
        {"any": [{"resources": {"kinds": ["Pod", "Service"]}}]},
        {"any": [{"resources": {"kinds": ["Pod"], "names": ["x"]}}]},
        {"resources": {"kinds": ["Pod"], "selector": {"matchLabels": {"a": "b"}}}},
        {"any": [{"resources": {"kinds": ["Service"]}}]},
        {"any": [{"resources": {"kinds": ["Deployment"]}}]},
    ],
)
def test_what_can_not_be_said_of_a_controller_is_not_generated(match: dict[str, Any]) -> None:
    """Names, labels, other kinds in one filter."""
    assert not generated(policy(_PATTERN, match=match)["spec"], {})


def test_an_exclusion_is_kept() -> None:
    """For the controllers in its place."""
    out = {"any": [{"resources": {"kinds": ["Pod"], "namespaces": ["shop"]}}]}
    assert says(policy(_PATTERN, exclude=out), deployment(_LATEST)) == "fail, exempt"
    services = {"any": [{"resources": {"kinds": ["Service"]}}]}
    assert says(policy(_PATTERN, exclude=services), deployment(_LATEST)) == "nothing"


def test_a_long_name_is_cut() -> None:
    """At the 63 characters that a name may have."""
    rule = policy(_PATTERN, name="n" * 60, match=PODS)
    names = [made["name"] for made in generated(rule["spec"], {})]
    assert [len(name) for name in names] == [63, 63]
