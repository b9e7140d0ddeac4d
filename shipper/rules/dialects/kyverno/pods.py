"""Where a pod's spec stands in the kinds that have one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CONTAINERS = ("containers", "initContainers", "ephemeralContainers")

_TEMPLATE = ("spec", "template", "spec")

POD_SPECS: Mapping[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
} | dict.fromkeys(
    (
        "DaemonSet",
        "Deployment",
        "Job",
        "ReplicaSet",
        "ReplicationController",
        "StatefulSet",
    ),
    _TEMPLATE,
)
"""By kind; the kinds that Kyverno knows."""


def under(value: Any, path: Iterable[str]) -> Any:
    """What stands at `path`; None where a step is missing or leads into no map."""
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
