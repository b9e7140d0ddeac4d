"""One object in a manifest: what it is, and what the API server would make of it.

What the API server fills in by itself is not guessed, but for the namespace. Reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from shipper.rules.dialects.kinds import is_cluster_wide, kind_of, resource_of
from shipper.rules.document import Document
from shipper.rules.fields import without_nulls
from shipper.text import harmless

MAX_OBJECT_BYTES = 3 * 2**20
"""Of one object: what the API server takes in a request's body."""


MAX_NAME = 1024
"""Characters of what an object is called in messages."""


class Manifest(NamedTuple):
    """An object, and where it stands. `template`: the Helm template that it was rendered from.

    `namespace` is empty for what stands in none.
    """

    value: Mapping[str, Any]
    document: Document
    template: str
    group: str
    version: str
    kind: str
    namespace: str
    name: str
    size_bytes: int

    @property
    def resource(self) -> str:
        """What requests call its kind."""
        return resource_of(self.group, self.kind)

    def __str__(self) -> str:
        """As people say it: `Deployment shop/web`."""
        where = f"{self.namespace}/" if self.namespace else ""
        return harmless(f"{self.kind} {where}{self.name}", MAX_NAME)


class ManifestError(ValueError):
    """A document that is no object of Kubernetes; `key` is the key that is wrong."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key


def manifest(document: Document, *, namespace: str, template: str = "") -> Manifest:
    """The object in `document`. Raises `ManifestError`.

    `namespace` is where it goes if it names none, as with `kubectl apply --namespace`; a kind that
    Kubernetes does not come with is taken to stand in none then.
    """
    value = document.value
    version, kind = _text(value, "apiVersion"), _text(value, "kind")
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        raise ManifestError("metadata", "is missing, or no mapping")
    name = metadata.get("name") or metadata.get("generateName")
    if not isinstance(name, str):
        raise ManifestError("metadata", "has no name")
    size = _bytes(value, {})
    if size > MAX_OBJECT_BYTES:
        raise ManifestError("", f"larger than {MAX_OBJECT_BYTES >> 20} MiB, the most that is taken")
    group = version.rpartition("/")[0]
    own = metadata.get("namespace") or ""
    if not isinstance(own, str):
        raise ManifestError("metadata", "has a namespace that is no text")
    if not own and _is_namespaced(group, kind):
        own = namespace
    value = without_nulls(value)
    if own:
        value["metadata"]["namespace"] = own
    return Manifest(
        value, document, template, group, version.rpartition("/")[2], kind, own, name, size
    )


def _is_namespaced(group: str, kind: str) -> bool:
    known = kind_of(group, resource_of(group, kind)) == kind
    return known and not is_cluster_wide(group, kind)


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or not found:
        raise ManifestError(key, "is missing, or no text")
    return found


def _bytes(value: Any, sizes: dict[int, int]) -> int:
    """The size with aliases unfolded, about; what they share is counted through once."""
    if isinstance(value, str):
        return len(value) + 3
    if not isinstance(value, dict | list):
        return 8
    if id(value) not in sizes:
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        sizes[id(value)] = 2 + sum(_bytes(part, sizes) for part in parts)
    return sizes[id(value)]
