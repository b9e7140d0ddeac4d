"""Whatever an object holds, a policy answers; whatever a policy says, it is one or a problem."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from shipper.rules.dialects.kyverno import Kyverno
from tests.rules.dialects.kyverno.policies import deployment, pod, policy
from tests.rules.dialects.objects import linked, review

_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 10**30, "", "x", "*", "100Mi", "1h", "{{ request.x }}", [], {}, [None],
    ["a", 1], {"a": None}, "\ud800", "[\ud800]",
)  # fmt: skip
_IMAGES = {
    "key": "{{ images.containers.*.registry | sort(@) }}",
    "operator": "AnyNotIn",
    "value": ["docker.io"],
}
_MEMORY = {
    "key": "{{ divide(element.resources.limits.memory || '1', '1Mi') }}",
    "operator": "GreaterThan",
    "value": "{{ element.resources.requests.memory || '0' }}",
}
_DEMANDS: tuple[dict[str, Any], ...] = (
    {"pattern": {"spec": {"=(volumes)": [{"X(hostPath)": "null"}], "containers": [
        {"(image)": "*:latest | x", "resources": {"limits": {"memory": ">1Mi & <1Gi"}}}]}}},
    {"anyPattern": [{"metadata": {"labels": {"a/*": "?*"}}}, {"spec": {"^(containers)": [
        {"name": "web", "<(image)": "nginx*"}]}}]},
    {"deny": {"conditions": {"any": [_IMAGES, {**_IMAGES, "operator": "AllIn"}]}}},
    {"foreach": [{"list": "request.object.spec.[containers, initContainers][]",
                  "deny": {"conditions": {"all": [_MEMORY]}}}]},
    {"podSecurity": {"level": "restricted", "exclude": [
        {"controlName": "Capabilities", "images": ["*"], "values": ["NET_*"]}]}},
    {"cel": {"expressions": [{"expression": "object.spec.containers.all(c, has(c.image))"}]}},
)  # fmt: skip
_SPEC = {
    "hostNetwork": False,
    "securityContext": {"runAsUser": 1},
    "volumes": [{"name": "v", "emptyDir": {}}],
    "containers": [
        {
            "name": "web",
            "image": "nginx:latest",
            "resources": {"limits": {"memory": "1Gi"}, "requests": {"memory": "1Mi"}},
            "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}},
            "ports": [{"hostPort": 80}],
        }
    ],
}


def _changed(value: Any, chance: random.Random) -> Any:
    if chance.random() < 0.08:
        return chance.choice(_VALUES)
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if chance.random() > 0.03}
        return {key: _changed(item, chance) for key, item in kept.items()}
    return [_changed(item, chance) for item in value] if isinstance(value, list) else value


def test_a_policy_answers_about_any_object() -> None:
    """Nothing is raised, and an outcome is one of the three."""
    chance = random.Random(5)
    documents = [policy(demand) for demand in _DEMANDS]
    for at, document in enumerate(documents):
        document["metadata"] = {"name": f"p{at}"}
    policies = linked(Kyverno(), *documents).policies
    assert len(policies) == len(_DEMANDS)
    outcomes = set()
    for _ in range(150):
        value = chance.choice([pod(_SPEC, labels={"a/b": "c"}), deployment(_SPEC)])
        asked = msgspec.structs.replace(review(value), object=_changed(value, chance))
        for made in policies:
            outcomes |= {verdict.outcome for verdict in made.judge(asked)}
    assert outcomes == {"pass", "fail"}


def test_any_text_is_a_policy_or_a_problem() -> None:
    """With a reason that names the place."""
    chance = random.Random(7)
    dialect = Kyverno()
    made = problems = 0
    for _ in range(120):
        document = policy(chance.choice(_DEMANDS))
        document["spec"] = _changed(document["spec"], chance)
        found = linked(dialect, document)
        made += len(found.policies)
        problems += bool(found.problems)
        assert found.policies or found.problems
        assert all(str(problem).startswith("ClusterPolicy policy: ") for problem in found.problems)
    assert made > 10
    assert problems > 10
