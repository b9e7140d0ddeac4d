"""Guardrails about labels, namespaces, roles, ConfigMaps and quotas: what each stops."""

from __future__ import annotations

import pytest

from tests.deploy.guardrails.asking import (
    QUOTA,
    Object,
    asked,
    documents,
    failures,
    linked,
    plain,
    review,
    spec,
    workload,
)
from tests.deploy.guardrails.test_workloads import ids

RBAC = "rbac.authorization.k8s.io/v1"
ADMIN = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}


# ---- other objects

OTHERS: list[tuple[str, Object, str | None]] = [
    # labels
    ("required-labels", workload("Deployment", spec(), labels={}), "app.kubernetes.io/name; set"),
    ("required-labels", workload("Pod", spec(), labels={"app": "x"}), "metadata.labels"),
    (
        "required-labels",
        workload("Pod", spec(), labels={}, ownerReferences=[{"kind": "Job", "controller": True}]),
        None,
    ),
    # namespaces
    ("no-default-namespace", workload("Deployment", spec(), namespace="default"), "-n"),
    ("no-default-namespace", plain("Secret", namespace="default"), "default"),
    ("no-default-namespace", plain("Ingress", "networking.k8s.io/v1", namespace="default"), ""),
    ("no-default-namespace", plain("Service"), None),
    (
        "no-default-namespace",
        plain("Service", namespace="default", metadata={"name": "kubernetes"}),
        None,
    ),
    (
        "no-default-namespace",
        plain("ConfigMap", namespace="default", metadata={"name": "kube-root-ca.crt"}),
        None,
    ),
    ("namespace-labels", plain("Namespace"), "labels are missing: owner"),
    (
        "namespace-labels",
        plain("Namespace", metadata={"labels": {"owner": "a"}}),
        "baseline or restricted",
    ),
    (
        "namespace-labels",
        plain(
            "Namespace",
            metadata={"labels": {"owner": "a", "pod-security.kubernetes.io/enforce": "privileged"}},
        ),
        "pod-security",
    ),
    (
        "namespace-labels",
        plain(
            "Namespace",
            metadata={"labels": {"owner": "a", "pod-security.kubernetes.io/enforce": "baseline"}},
        ),
        None,
    ),
    ("namespace-labels", plain("Namespace", metadata={"name": "kube-system"}), None),
    ("namespace-labels", plain("Namespace", metadata={"name": "default"}), None),
    # roles
    (
        "no-wildcard-roles",
        plain("ClusterRole", RBAC, rules=[{"verbs": ["*"], "resources": ["pods"]}]),
        "wildcard: * of pods; replace",
    ),
    ("no-wildcard-roles", plain("Role", RBAC, rules=[{"verbs": ["get"], "resources": ["*"]}]), ""),
    (
        "no-wildcard-roles",
        plain("Role", RBAC, rules=[{"verbs": ["get"], "resources": ["pods/*"]}]),
        "get of pods/*",
    ),
    (
        "no-wildcard-roles",
        plain("Role", RBAC, rules=[{"verbs": ["get"], "resources": ["a"], "apiGroups": ["*"]}]),
        "",
    ),
    (
        "no-wildcard-roles",
        plain("ClusterRole", RBAC, rules=[{"verbs": ["get"], "nonResourceURLs": ["*"]}]),
        "get of *",
    ),
    (
        "no-wildcard-roles",
        plain("ClusterRole", RBAC, rules=[{"verbs": ["get"], "nonResourceURLs": ["/healthz/*"]}]),
        None,
    ),
    (
        "no-wildcard-roles",
        plain("ClusterRole", RBAC, aggregationRule={}, rules=[{"verbs": ["*"]}]),
        None,
    ),
    (
        "no-wildcard-roles",
        plain("ClusterRole", RBAC, metadata={"name": "system:x"}, rules=[{"verbs": ["*"]}]),
        None,
    ),
    (
        "no-wildcard-roles",
        plain("Role", RBAC, metadata={"name": "system:x"}, rules=[{"verbs": ["*"]}]),
        "",
    ),
    # bindings
    (
        "cluster-admins",
        plain(
            "ClusterRoleBinding", RBAC, roleRef=ADMIN, subjects=[{"kind": "User", "name": "eve"}]
        ),
        "bound to User eve; bind",
    ),
    (
        "cluster-admins",
        plain(
            "RoleBinding",
            RBAC,
            roleRef=ADMIN,
            namespace="kube-system",
            subjects=[{"kind": "ServiceAccount", "name": "default"}],
        ),
        "ServiceAccount kube-system/default",
    ),
    (
        "cluster-admins",
        plain(
            "ClusterRoleBinding",
            RBAC,
            roleRef=ADMIN,
            subjects=[{"kind": "Group", "name": "system:masters"}],
        ),
        None,
    ),
    ("cluster-admins", plain("ClusterRoleBinding", RBAC, roleRef=ADMIN), None),
    (
        "cluster-admins",
        plain(
            "ClusterRoleBinding",
            RBAC,
            roleRef=ADMIN | {"name": "view"},
            subjects=[{"kind": "User", "name": "eve"}],
        ),
        None,
    ),
]


@pytest.mark.parametrize(("policy", "one", "said"), OTHERS, ids=ids(OTHERS))
def test_other_objects(policy: str, one: Object, said: str | None) -> None:
    """Stopped with these words, or not stopped."""
    found = failures(review(one))
    assert (policy in found) == (said is not None), found
    assert (said or "") in found.get(policy, "")


# ---- credentials (all of them invented)

CREDENTIALS = {
    "a private key": {"tls": "-----BEGIN RSA " + "PRIVATE KEY-----\nMII"},
    "an AWS access key": {"x": "id = AKIA" + "IOSFODNN7EXAMPLE"},
    "a GitHub or GitLab token": {"x": "ghp_" + "a" * 36},
    "a Slack token": {"x": "xoxb-" + "123456789012-abc"},
    "a Google API key": {"x": "AIza" + "b" * 35},
    "a signed token": {"x": "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NSJ9.c2ln"},
    "a URL with a password": {"x": "postgres://app:hunter2@db:5432/x"},
    "a password": {"conf": "user: x\npassword: hunter22\n"},
    "its key calls a credential": {"DB_PASSWORD": "hunter22"},
}

HARMLESS = {
    "certificate": {"ca.crt": "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"},
    "reference": {"DB_PASSWORD": "${DB_PASSWORD}", "conf": "password: ${PW}\npasswd: {{ .pw }}"},
    "file": {"conf": "password_file: /run/secrets/db", "url": "https://example.com:443/a@b"},
    "sentence": {"API_TOKEN": "see the wiki page", "help": "Password must have 12 characters"},
    "empty": {"PASSWORD": "", "API_KEY": "\n"},
}


@pytest.mark.parametrize(("said", "data"), CREDENTIALS.items(), ids=CREDENTIALS)
def test_credentials_are_stopped(said: str, data: dict[str, str]) -> None:
    """By the pattern that is meant to, which does not repeat them."""
    found = failures(review(plain("ConfigMap", data=data)))
    assert said in found["no-credentials-in-configmaps"]
    assert not any(value in str(found) for value in data.values())


@pytest.mark.parametrize("data", HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_so_passes(data: dict[str, str]) -> None:
    """Certificates, references, names of files, words about passwords."""
    assert failures(review(plain("ConfigMap", data=data))) == {}


def test_a_large_configmap_can_be_asked() -> None:
    """Of the most that one may have, within the engine's limits: the last line is found."""
    lines = "key: value of some length, as in any file\n" * 24_000
    last = {"conf": lines + "password: hunter22\n"}
    assert failures(review(plain("ConfigMap", data={"conf": lines}))) == {}
    assert "no-credentials-in-configmaps" in failures(review(plain("ConfigMap", data=last)))
    assert failures(review(plain("ConfigMap"))) == {}


# ---- quotas


def test_a_namespace_without_a_quota_takes_no_workloads() -> None:
    """Its ResourceQuotas are the parameters: none, one that limits nothing, one that does."""
    quota = plain("ResourceQuota", metadata={"name": "q"})
    full = quota | {"spec": {"hard": {"requests.cpu": "10"}}}
    one = review(workload("Deployment", spec()))
    for objects, fails in (([quota | {"spec": {}}], True), ([full], False)):
        found = failures(one, linked(*documents(QUOTA), *objects))
        assert ("namespace-quota" in found) == fails, found
    missing = asked(one, linked(*documents(QUOTA)))["namespace-quota"]
    assert [verdict.outcome for verdict in missing] != ["pass"]
