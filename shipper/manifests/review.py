"""A manifest as a question to policies. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shipper.manifests.manifest import Manifest
from shipper.rules.dialects.objects import NAMESPACE, labelled
from shipper.rules.dialects.review import Review, Target


def namespaces(manifests: Sequence[Manifest]) -> dict[str, Any]:
    """The Namespaces among the manifests, by name."""
    return {
        one.name: labelled(one.value) for one in manifests if (one.group, one.kind) == NAMESPACE
    }


def review(one: Manifest, namespace: Any) -> Review:
    """What policies are asked. `namespace`: the object's Namespace, null or `UNBOUND`.

    A Namespace stands in itself, but is its own object alone: as the API server has it
    (k8s.io/apiserver, handlers/create.go and admission/plugin/policy/validating).
    """
    is_namespace = (one.group, one.kind) == NAMESPACE
    return Review(
        target=Target("CREATE", one.group, one.version, one.resource, "", one.kind),
        namespace=one.name if is_namespace else one.namespace,
        name=one.name,
        identity=None,
        object=labelled(one.value) if is_namespace else one.value,
        old_object=None,
        namespace_object=None if is_namespace else namespace,
    )
