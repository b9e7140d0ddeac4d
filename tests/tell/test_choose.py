"""Which alerts a receiver wants."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from shipper.tell.choose import wants
from tests.tell.support import finding, receiver

EXEC = finding("pod-exec", severity="high")
CLUSTER = structs.replace(EXEC, what=structs.replace(EXEC.what, namespace=""))


@pytest.mark.parametrize(
    ("keys", "found", "wanted"),
    [
        ({}, EXEC, True),
        ({}, structs.replace(EXEC, severity="low"), False),
        ({"min_severity": "high"}, EXEC, True),
        ({"min_severity": "critical"}, EXEC, False),
        ({"rules": ["pod-*"]}, EXEC, True),
        ({"rules": ["secret-*"]}, EXEC, False),
        ({"rules": ["secret-*", "pod-exec"]}, EXEC, True),
        ({"rules": ["*", "!pod-exec"]}, EXEC, False),
        ({"rules": ["!secret-*"]}, EXEC, True),
        ({"namespaces": ["prod-*"]}, EXEC, True),
        ({"namespaces": ["dev"]}, EXEC, False),
        ({"namespaces": ["PROD-*"]}, EXEC, False),
        ({"namespaces": ["!kube-system"]}, CLUSTER, True),
        ({"namespaces": ["prod-*"]}, CLUSTER, False),
        ({"namespaces": ["prod-*", ""]}, CLUSTER, True),
        ({"rules": ["pod-*"], "namespaces": ["dev"]}, EXEC, False),
    ],
)
def test_a_receiver_wants(keys: dict[str, Any], found: Any, wanted: bool) -> None:
    """Severity, rule and namespace must all fit; an empty list takes everything."""
    assert wants(receiver("webhook", **keys), found) is wanted
