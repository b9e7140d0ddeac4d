"""Which workload an object belongs to: what people deploy, and would have to change.

Goes by the object alone; what it can not show (who owns its owner) is a guess, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from shipper.text import harmless

MAX_NAME = 253
"""Characters of a Kubernetes name (a DNS subdomain)."""

_SCHEDULED = re.compile(r"(.+)-\d{8,10}", re.ASCII)
"""A CronJob's Job: its name and the minute, in minutes since 1970 (older: seconds)."""


class Workload(NamedTuple):
    """A workload by kind, namespace and name; `guessed` where a name had to be read for it."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    guessed: bool = False

    def __str__(self) -> str:
        """`Deployment shop/web`; the same whether it was guessed or not."""
        if not self.kind:
            return ""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name or '(unnamed)'}"


def workload_of(value: Any, *, kind: str, namespace: str, name: str) -> Workload:
    """The workload of the object `value`, else of the `kind`, `namespace` and `name` given.

    Follows `ownerReferences` to the controller; a ReplicaSet leads to its Deployment by the
    pod-template-hash in its name, a Job to its CronJob by the time in its name.
    """
    value = value if isinstance(value, Mapping) else {}
    metadata = _mapping(value.get("metadata"))
    own_kind, own_name = _text(value.get("kind")) or kind, _text(metadata.get("name")) or name
    space = _text(metadata.get("namespace")) or namespace
    owner = _controller(metadata)
    if owner is None:
        generated = _text(metadata.get("generateName"))
        if generated and own_name.startswith(generated):
            own_name = f"{generated}*"
        return _made(own_kind, space, own_name)
    owner_kind, owner_name = _text(owner.get("kind")), _text(owner.get("name"))
    hashed = "-" + _text(_mapping(metadata.get("labels")).get("pod-template-hash"))
    if owner_kind == "ReplicaSet" and len(hashed) > 1 and owner_name.endswith(hashed):
        return _made("Deployment", space, owner_name.removesuffix(hashed), guessed=True)
    if owner_kind == "Job" and (scheduled := _SCHEDULED.fullmatch(owner_name)):
        return _made("CronJob", space, scheduled[1], guessed=True)
    return _made(owner_kind, "" if owner_kind == "Node" else space, owner_name)


def _controller(metadata: Mapping[str, Any]) -> Mapping[str, Any] | None:
    references = metadata.get("ownerReferences")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, Mapping) and reference.get("controller") is True:
            return reference
    return None


def _made(kind: str, namespace: str, name: str, *, guessed: bool = False) -> Workload:
    return Workload(
        harmless(kind, MAX_NAME), harmless(namespace, MAX_NAME), harmless(name, MAX_NAME), guessed
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
