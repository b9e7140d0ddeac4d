"""config/audit-policy.yaml: rules get their bodies, secrets stay out, noise is left out."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from shipper.cli.main import commands
from tests.conftest import ROOT
from tests.deploy.audit_policy import Request, level

POLICY: dict[str, Any] = yaml.safe_load((ROOT / "config" / "audit-policy.yaml").read_text())
WRITES = ["create", "update", "patch", "delete", "deletecollection"]
READS = ["get", "list", "watch"]
RBAC, ADMISSION = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
NODE: dict[str, Any] = {
    "user": "system:node:w1",
    "groups": ("system:nodes", "system:authenticated"),
}

LOOKED_INTO = [
    ("", "pods"),
    ("", "pods/ephemeralcontainers"),
    ("", "services"),
    ("", "serviceaccounts"),
    ("", "namespaces"),
    ("", "namespaces/status"),
    ("", "nodes"),
    ("", "persistentvolumes"),
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
    ("apps", "statefulsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    (RBAC, "roles"),
    (RBAC, "clusterroles"),
    (RBAC, "rolebindings"),
    (RBAC, "clusterrolebindings"),
    (ADMISSION, "validatingwebhookconfigurations"),
    (ADMISSION, "mutatingwebhookconfigurations"),
    (ADMISSION, "validatingadmissionpolicies"),
    (ADMISSION, "validatingadmissionpolicybindings"),
    ("certificates.k8s.io", "certificatesigningrequests"),
    ("certificates.k8s.io", "certificatesigningrequests/approval"),
    ("apiregistration.k8s.io", "apiservices"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("networking.k8s.io", "networkpolicies"),
    ("cilium.io", "ciliumnetworkpolicies"),
    ("kyverno.io", "clusterpolicies"),
    ("kyverno.io", "policyexceptions"),
    ("constraints.gatekeeper.sh", "k8srequiredlabels"),
    ("config.gatekeeper.sh", "configs"),
]

SECRET = [
    ("", "secrets"),
    ("", "configmaps"),
    ("", "serviceaccounts/token"),
    ("authentication.k8s.io", "tokenreviews"),
    ("authentication.k8s.io", "tokenrequests"),
]

PEOPLE: list[dict[str, Any]] = [
    {},
    NODE,
    {"user": "system:apiserver", "groups": ("system:masters",)},
    {"user": "system:kube-controller-manager", "groups": ()},
    {"user": "system:serviceaccount:kube-system:x", "groups": ("system:serviceaccounts",)},
]


@pytest.mark.parametrize(("group", "resource"), LOOKED_INTO)
def test_writes_that_rules_look_into_have_bodies(group: str, resource: str) -> None:
    """Whoever makes them."""
    for verb in WRITES:
        for who in PEOPLE:
            assert level(POLICY, Request(verb, resource, group, **who)) == "RequestResponse"


@pytest.mark.parametrize(("group", "resource"), SECRET)
def test_secrets_are_named_and_never_shown(group: str, resource: str) -> None:
    """Whoever touches them, with whatever verb: always a line, never a body."""
    for verb in [*WRITES, *READS]:
        for who in PEOPLE:
            for namespace in ("default", "kube-system", ""):
                request = Request(verb, resource, group, namespace=namespace, **who)
                assert level(POLICY, request) == "Metadata"


NOISE = [
    Request("get", path="/livez", user="system:anonymous"),
    Request("get", path="/readyz/etcd"),
    Request("update", "leases", "coordination.k8s.io", **NODE),
    Request("patch", "pods/status", **NODE),
    Request("create", "events", user="x", groups=("system:serviceaccounts",)),
    Request("create", "events", user="system:kube-scheduler"),
    Request("patch", "events", "events.k8s.io", **NODE),
    Request("watch", "pods", user="system:kube-scheduler"),
    Request("watch", "endpointslices", "discovery.k8s.io", user="system:kube-proxy"),
]


@pytest.mark.parametrize("request_", NOISE)
def test_noise_is_left_out(request_: Request) -> None:
    """What the cluster says to itself makes no line."""
    assert level(POLICY, request_) == "None"


KEPT = [
    Request("get", "pods"),
    Request("list", "secrets", user="system:kube-scheduler"),
    Request("create", "pods/exec"),
    Request("get", "pods/exec"),
    Request("get", "nodes/proxy"),
    Request("delete", "events"),
    Request("create", "events"),
    Request("list", "events", user="system:anonymous", groups=("system:unauthenticated",)),
    Request("deletecollection", "events", "events.k8s.io"),
    Request("update", "leases", "coordination.k8s.io"),
    Request("update", "leases", "coordination.k8s.io", namespace="x", user="system:kube-scheduler"),
    Request("create", "selfsubjectaccessreviews", "authorization.k8s.io"),
    Request("get", path="/api", user="system:anonymous"),
    Request("get", "pods", user="", groups=()),
    Request("create", "widgets", "example.com"),
    Request("patch", "pods/status"),
]


@pytest.mark.parametrize("request_", KEPT)
def test_the_rest_is_a_line(request_: Request) -> None:
    """Reads by people, exec, covered tracks, failed logins, custom resources."""
    assert level(POLICY, request_) == "Metadata"


def test_the_catalog_sees_what_it_looks_for() -> None:
    """`rules doctor`: one rule is blind, on purpose; the others lose only what named parts of the
    cluster do all day, and no body."""
    policy = str(ROOT / "config" / "audit-policy.yaml")
    result = CliRunner().invoke(commands, ["rules", "doctor", policy, "--output", "json"])
    rules = json.loads(result.stdout)["rules"]
    assert len(rules) > 50
    assert [rule["name"] for rule in rules if rule["blind"]] == ["credentials-in-configmap"]
    gaps = [gap for rule in rules if not rule["blind"] for gap in rule["gaps"]]
    assert {gap["why"] for gap in gaps} == {"not logged"}
    assert not any(gap["forAll"] for gap in gaps)


def test_failed_logins_keep_their_only_stage() -> None:
    """A 401 is one ResponseStarted event: that stage is omitted nowhere."""
    assert POLICY["omitStages"] == ["RequestReceived"]
    assert not any("omitStages" in rule for rule in POLICY["rules"])


def test_it_is_a_policy() -> None:
    """kube-apiserver refuses a file with an unknown field, level or a rule of both kinds."""
    assert POLICY["apiVersion"] == "audit.k8s.io/v1"
    assert POLICY["kind"] == "Policy"
    assert set(POLICY) <= {"apiVersion", "kind", "omitStages", "omitManagedFields", "rules"}
    for rule in POLICY["rules"]:
        assert rule["level"] in ("None", "Metadata", "Request", "RequestResponse")
        assert set(rule) <= {
            "level", "users", "userGroups", "verbs", "resources", "namespaces", "nonResourceURLs",
        }  # fmt: skip
        assert not ("nonResourceURLs" in rule and ({"resources", "namespaces"} & set(rule)))
        for one in rule.get("resources", []):
            assert set(one) <= {"group", "resources"}
    assert POLICY["rules"][-1] == {"level": "Metadata"}
