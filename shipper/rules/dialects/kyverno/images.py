"""Image references, as Kyverno takes them apart: `images.containers.web.registry`.

Source: kyverno pkg/utils/image and pkg/utils/api/image.go; the grammar is that of
distribution/reference. Kyverno's own default registry is docker.io.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from shipper.rules.dialects.kyverno.errors import EvaluationError
from shipper.rules.dialects.kyverno.pods import CONTAINERS, POD_SPECS, under

_MAX_CHARS = 1024
_DEFAULT_REGISTRY = "docker.io"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])"
_DOMAIN = rf"{_HOST}(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_FORM = re.compile(
    rf"({_DOMAIN})/({_COMPONENT}(?:/{_COMPONENT})*)(?::([\w][\w.-]{{0,127}}))?"
    r"(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


@lru_cache(maxsize=1024)
def _parsed(image: str) -> tuple[tuple[str, str], ...]:
    form = _FORM.fullmatch(_with_registry(image)) if len(image) <= _MAX_CHARS else None
    if form is None:
        raise EvaluationError("not an image reference")
    registry, path, tag, digest = form[1], form[2], form[3] or "", form[4] or ""
    if not tag and not digest:
        tag = "latest"
    found = {
        "registry": registry,
        "path": path,
        "name": path.rpartition("/")[2],
        "tag": tag,
        "digest": digest,
        "reference": f"{registry}/{path}" + (f"@{digest}" if digest else f":{tag}"),
        "referenceWithTag": f"{registry}/{path}:{tag}",
    }
    return tuple((name, value) for name, value in found.items() if value)


def parsed(image: str) -> dict[str, str]:
    """The parts of a reference; those that are empty are left out. Raises EvaluationError."""
    return dict(_parsed(image))


def _with_registry(image: str) -> str:
    head, slash, _ = image.partition("/")
    local = not any(char in head for char in ".:") and head != "localhost" and head == head.lower()
    return f"{_DEFAULT_REGISTRY}/{image}" if not slash or local else image


def of_object(value: Any) -> dict[str, dict[str, Any]]:
    """By kind of container and by its name: the parts of its image. Raises EvaluationError."""
    kind = value.get("kind") if isinstance(value, Mapping) else None
    path = POD_SPECS.get(kind) if isinstance(kind, str) else None
    spec = under(value, path) if path is not None else None
    found: dict[str, dict[str, Any]] = {}
    for group in CONTAINERS if isinstance(spec, Mapping) else ():
        items = spec.get(group) if isinstance(spec, Mapping) else None
        images = {
            item["name"]: {**parsed(item["image"]), "jsonPointer": _pointer(path, group, at)}
            for at, item in enumerate(items if isinstance(items, list) else ())
            if isinstance(item, Mapping)
            and isinstance(item.get("name"), str)
            and isinstance(item.get("image"), str)
            and item["image"].strip()
        }
        if images:
            found[group] = images
    return found


def _pointer(path: tuple[str, ...] | None, group: str, at: int) -> str:
    return "/" + "/".join([*(path or ()), group, str(at), "image"])
