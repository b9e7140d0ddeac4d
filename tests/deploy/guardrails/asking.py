"""The policy pack, and what it is asked about: objects of every kind that makes pods."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from shipper.rules.dialects import registry
from shipper.rules.dialects.kinds import is_cluster_wide, resource_of
from shipper.rules.dialects.objects import ident_of
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.policy import Ident, Source, Verdict
from shipper.rules.dialects.review import Operation, Review, Target
from shipper.rules.load import load_tested
from tests.conftest import ROOT

GUARDRAILS = ROOT / "deploy" / "guardrails"
POLICIES = GUARDRAILS / "base" / "policies"
QUOTA = GUARDRAILS / "components" / "namespace-quota" / "namespace-quota.yaml"
FILES = sorted(path for path in POLICIES.glob("*.yaml") if path.name != "parameters.yaml")

Object = dict[str, Any]

CONTROLLERS: Mapping[str, str] = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "ReplicationController": "v1",
}
KINDS = ("Pod", *CONTROLLERS)


def documents(path: Any) -> list[Object]:
    """The objects in one file."""
    return list(yaml.safe_load_all(path.read_text()))


def linked(*objects: Object) -> PolicySet:
    """The policies that these objects make."""
    found: dict[Ident, Source] = {}
    for one in objects:
        ident = ident_of(one)
        assert ident is not None
        found[ident] = Source(one, None)
    return PolicySet(found, registry.dialects(ident.group for ident in found))


@cache
def pack() -> PolicySet:
    """The pack as its files stand, with its parameters."""
    return load_tested([POLICIES]).policies


def container(name: str = "app", **fields: Any) -> Object:
    """A container that every guardrail lets pass, but for what `fields` say."""
    least: Object = {
        "name": name,
        "image": "registry.k8s.io/app:1.2.3",
        "resources": {
            "requests": {"cpu": "100m", "memory": "64Mi"},
            "limits": {"memory": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {key: value for key, value in (least | fields).items() if value is not None}


def spec(*containers: Object, **fields: Any) -> Object:
    """A pod's spec; of one good container if none is given."""
    return {
        "automountServiceAccountToken": False,
        "containers": [*containers] or [container()],
        **fields,
    }


def workload(kind: str, pod_spec: Object, **metadata: Any) -> Object:
    """An object of that kind with such pods."""
    made: Object = {
        "apiVersion": CONTROLLERS.get(kind, "v1"),
        "kind": kind,
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "labels": {"app.kubernetes.io/name": "web"},
            **metadata,
        },
        "spec": pod_spec,
    }
    if kind != "Pod":
        made["spec"] = {"template": {"spec": pod_spec}}
    if kind == "CronJob":
        made["spec"] = {"jobTemplate": {"spec": made["spec"]}}
    return made


def plain(kind: str, version: str = "v1", *, namespace: str = "shop", **fields: Any) -> Object:
    """Another object."""
    metadata: Object = {"name": "it", **fields.pop("metadata", {})}
    if namespace and not is_cluster_wide(version.rpartition("/")[0], kind):
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def review(
    one: Object, operation: Operation = "CREATE", subresource: str = "", **fields: Any
) -> Review:
    """The question whether it may be; of its Namespace no more is known than the name."""
    group, _, version = one["apiVersion"].rpartition("/")
    kind, metadata = one["kind"], one["metadata"]
    is_namespace = kind == "Namespace"
    known = {"namespace_object": None} if is_namespace else {}
    return Review(
        target=Target(operation, group, version, resource_of(group, kind), subresource, kind),
        namespace=metadata["name"] if is_namespace else metadata.get("namespace", ""),
        name=metadata["name"],
        identity=None,
        object=one,
        **{"old_object": None, **known, **fields},
    )


def asked(question: Review, policies: PolicySet | None = None) -> dict[str, list[Verdict]]:
    """What each policy that speaks of it says, by the policy's name without its prefix."""
    found: dict[str, list[Verdict]] = {}
    for policy, verdict in (policies or pack()).judge(question):
        found.setdefault(policy.ident.name.removeprefix("guardrails-"), []).append(verdict)
    return found


def failures(question: Review, policies: PolicySet | None = None) -> dict[str, str]:
    """The messages of what fails. What could not be decided fails the test."""
    told: dict[str, str] = {}
    for name, verdicts in asked(question, policies).items():
        for verdict in verdicts:
            assert verdict.outcome != "indeterminate", (name, verdict)
            if verdict.outcome == "fail" and not verdict.exempt:
                told[name] = f"{told.get(name, '')}{verdict.message}\n"
    return told
