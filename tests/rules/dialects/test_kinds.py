"""Kinds and resources."""

from __future__ import annotations

import pytest

from shipper.rules.dialects.kinds import is_cluster_wide, kind_of, resource_of
from shipper.rules.resources import BUILT_IN


@pytest.mark.parametrize(
    ("group", "kind", "resource"),
    [
        ("", "Pod", "pods"),
        ("", "Endpoints", "endpoints"),
        ("networking.k8s.io", "Ingress", "ingresses"),
        ("networking.k8s.io", "NetworkPolicy", "networkpolicies"),
        ("shop.example.com", "Widget", "widgets"),
        ("shop.example.com", "Proxy", "proxies"),
        ("shop.example.com", "Address", "addresses"),
        ("constraints.gatekeeper.sh", "K8sRequiredLabels", "k8srequiredlabels"),
    ],
)
def test_a_kind_has_a_resource(group: str, kind: str, resource: str) -> None:
    """From the table, else as the API conventions have it."""
    assert resource_of(group, kind) == resource


@pytest.mark.parametrize(
    ("group", "resource", "subresource", "kind"),
    [
        ("apps", "deployments", "", "Deployment"),
        ("apps", "deployments", "status", "Deployment"),
        ("apps", "deployments", "scale", "Scale"),
        ("", "pods", "ephemeralcontainers", "Pod"),
        ("", "pods", "exec", "PodExecOptions"),
        ("", "pods", "eviction", "Eviction"),
        ("", "serviceaccounts", "token", "TokenRequest"),
        ("shop.example.com", "widgets", "", ""),
    ],
)
def test_a_resource_has_a_kind(group: str, resource: str, subresource: str, kind: str) -> None:
    """That of the body; none is guessed for a resource that no table has."""
    assert kind_of(group, resource, subresource) == kind


def test_every_built_in_resource_has_a_kind_and_is_found_again_by_it() -> None:
    """The doctor's table of resources and this one know the same API server."""
    for group, resource, subresource in BUILT_IN:
        kind = kind_of(group, resource)
        assert kind, (group, resource, subresource)
        assert resource_of(group, kind) == resource


def test_some_kinds_stand_in_no_namespace() -> None:
    """A manifest of any other kind that names none goes to the default namespace."""
    assert is_cluster_wide("", "Namespace")
    assert is_cluster_wide("rbac.authorization.k8s.io", "ClusterRole")
    assert not is_cluster_wide("rbac.authorization.k8s.io", "Role")
    assert not is_cluster_wide("shop.example.com", "Widget")
