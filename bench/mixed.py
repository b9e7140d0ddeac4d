"""A hundred policies of mixed languages, for measuring: other projects' own, taken from ../shared.

Nothing of them is kept here. Policies that the conformance corpus has no use for offline are left
out, as they would be by who writes policies.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard

VAPS, KYVERNO, GATEKEEPER = 30, 50, 20


def mixed(conformance: Path) -> list[dict[str, Any]]:
    """The objects of 100 policies: VAPs with a binding each, Kyverno's, Gatekeeper's constraints
    with their templates."""
    return [
        *_vaps(entries(conformance / "vap-policies.jsonl.zst")),
        *_kyverno(entries(conformance / "kyverno-policies.jsonl.zst")),
        *_gatekeeper(conformance),
    ]


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a corpus."""
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file)
        for line in io.TextIOWrapper(reader, encoding="utf-8"):
            yield json.loads(line)


def _documents(found: Iterable[dict[str, Any]], *kinds: str) -> Iterator[dict[str, Any]]:
    """Documents of these kinds, one of each name."""
    seen = set()
    for entry in found:
        for document in entry["documents"]:
            name = document["metadata"]["name"]
            if document["kind"] in kinds and name not in seen:
                seen.add(name)
                yield document


def _vaps(found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    policies = _documents(found, "ValidatingAdmissionPolicy")
    alone = (one for one in policies if "paramKind" not in one["spec"])
    for policy in islice(alone, VAPS):
        name = policy["metadata"]["name"]
        yield policy
        yield {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": f"{name}-binding"},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        }


def _kyverno(found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    validating = (
        one
        for one in _documents(found, "ClusterPolicy")
        if any("validate" in rule for rule in one["spec"]["rules"])
    )
    yield from islice(validating, KYVERNO)


def _gatekeeper(conformance: Path) -> Iterator[dict[str, Any]]:
    yield from _documents(
        entries(conformance / "gatekeeper-templates.jsonl.zst"), "ConstraintTemplate"
    )
    constraints = {
        (case["constraint"]["kind"], case["constraint"]["metadata"]["name"]): case["constraint"]
        for case in entries(conformance / "gatekeeper-cases.jsonl.zst")
    }
    yield from islice(constraints.values(), GATEKEEPER)
