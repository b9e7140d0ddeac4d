"""The expressions that people have: the policies of three libraries compile as they are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from shipper.rules.cel import CompileError, Environment
from shipper.rules.cel.environment import VARIABLES

_KEYS = frozenset(("expression", "messageExpression", "valueExpression"))
_DIALECTS = ("variables", "anyObject", "images", "resource")
"""What policy engines add to Kubernetes' variables."""

KYVERNO_ALONE = ("'image'", "'Get'", "'List'")
"""Functions that only Kyverno has: an image's parts, and other objects of the cluster."""

FILES = {"vap-policies": 100, "gatekeeper-templates": 88, "kyverno-policies": 176}
"""How many distinct expressions each has."""


def _rows(path: Path) -> list[dict[str, Any]]:
    with zstandard.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _expressions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _KEYS and isinstance(value, str):
                yield value
            else:
                yield from _expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _expressions(value)


@pytest.mark.parametrize("name", FILES)
def test_policies_compile_as_they_are(shared: Path, name: str) -> None:
    """Every expression but those that need Kyverno's own functions."""
    environment = Environment((*VARIABLES, *_DIALECTS))
    rows = _rows(shared / "conformance" / f"{name}.jsonl.zst")
    texts = {text for row in rows for doc in row["documents"] for text in _expressions(doc["spec"])}
    refusals = Counter[str]()
    for text in texts:
        try:
            environment.compile(text, expect="any")
        except CompileError as error:
            refusals[error.reason] += 1
    compiled = len(texts) - refusals.total()
    print(f"{name}: {compiled} of {len(texts)} compile; {dict(refusals)}")  # noqa: T201
    assert len(texts) == FILES[name]
    assert all(reason.endswith(KYVERNO_ALONE) for reason in refusals)
    assert compiled / len(texts) > 0.97
