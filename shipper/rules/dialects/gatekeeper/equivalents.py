"""CEL for those templates of Gatekeeper's own library that are written in Rego alone.

A template is known by its name and by the hash of its Rego: one that somebody has changed is not
answered by what the library's would have said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from shipper.rules.document import read

_LIBRARY = Path(__file__).parents[2] / "catalog" / "gatekeeper"


def equivalent(name: str, rego: str, libraries: Iterable[str]) -> Mapping[str, Any] | None:
    """The template in CEL that stands for the template `name`, whose Rego this is; None: there is
    none, or this is not the library's Rego."""
    return _templates().get(name) if (_digest(rego, libraries), name) in _published() else None


def _digest(rego: str, libraries: Iterable[str]) -> str:
    """Blanks at the ends of lines do not count: templates go through many hands."""
    texts = [
        "\n".join(line.rstrip() for line in text.strip().splitlines())
        for text in (rego, *libraries)
    ]
    return hashlib.sha256("\n\0\n".join(texts).encode()).hexdigest()


@cache
def _published() -> frozenset[tuple[str, str]]:
    lines = (_LIBRARY / "rego.sha256").read_text("ascii").splitlines()
    return frozenset(
        (digest, name) for digest, name in (line.split() for line in lines if line[0] != "#")
    )


@cache
def _templates() -> Mapping[str, Mapping[str, Any]]:
    documents, problems = read((_LIBRARY / "templates.yaml").read_text("utf-8"), "templates.yaml")
    if problems:
        raise AssertionError(problems)  # our own file; a test reads it
    return {document.value["metadata"]["name"]: document.value for document in documents}
