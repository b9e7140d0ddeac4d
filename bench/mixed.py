"""What a hundred policies of mixed languages cost over the input, and what those that speak of
nothing in it do. The policies are other projects' own, of ../shared, in the order of its files.

As whole processes, like the rules; loading the policies is taken off.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard

from bench import corpus
from bench.bench import Bench
from bench.rules import Runs
from bench.table import Row, at_most, under

_VAPS, _KYVERNO, _GATEKEEPER, _FALCO = 20, 30, 20, 30

_CONFORMANCE = corpus.ROOT.parent / "shared" / "conformance"


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    runs = Runs(bench, bench.recording())  # a gibibyte would take minutes and say the same
    without = runs.cpu_seconds("no policies", {"catalog": "none"})
    path = bench.directory / "mixed.yaml"
    path.write_text(_page(mixed(_CONFORMANCE)))
    section = {"catalog": "none", "paths": [str(path)]}
    more = (runs.cpu_seconds("100 policies", section) / without - 1) * 100
    yield at_most("100 policies of mixed languages over none, more CPU", more, 60, "%")
    path.write_text(_page(_elsewhere()))
    beside = runs.cpu_seconds("100 policies of other resources", section) - without
    each = beside / runs.events() * 1e6
    yield under("an event that none of 100 policies speaks of, CPU", each, 2, "us", digits=2)


def _page(documents: Iterable[Any]) -> str:
    return "\n---\n".join(map(json.dumps, documents))  # JSON is YAML


def _elsewhere() -> Iterator[dict[str, Any]]:
    """Policies that speak of resources which no log has."""
    for number in range(100):
        rule = {
            "apiGroups": ["example.com"], "apiVersions": ["v1"], "operations": ["*"],
            "resources": [f"things{number}"],
        }  # fmt: skip
        policy = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": f"things-{number}"},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": "has(object.spec.size)"}],
            },
        }
        yield from (policy, _binding(policy))


def mixed(conformance: Path) -> list[Any]:
    """100 policies: VAPs with a binding each, Kyverno's, Gatekeeper's constraints with their
    templates, Falco's rules with their lists and macros. Raises NoCorpusError."""
    if not conformance.is_dir():
        raise corpus.NoCorpusError(f"no policies: {conformance} is not there")
    return [
        *_vaps(entries(conformance / "vap-policies.jsonl.zst")),
        *_kyverno(entries(conformance / "kyverno-policies.jsonl.zst")),
        *_gatekeeper(conformance),
        list(_falco(entries(conformance / "falco-rules.jsonl.zst"))),
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
    for policy in islice(alone, _VAPS):
        yield from (policy, _binding(policy))


def _binding(policy: dict[str, Any]) -> dict[str, Any]:
    name = policy["metadata"]["name"]
    return {
        "apiVersion": policy["apiVersion"],
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
    yield from islice(validating, _KYVERNO)


def _gatekeeper(conformance: Path) -> Iterator[dict[str, Any]]:
    yield from _documents(
        entries(conformance / "gatekeeper-templates.jsonl.zst"), "ConstraintTemplate"
    )
    constraints = {
        (case["constraint"]["kind"], case["constraint"]["metadata"]["name"]): case["constraint"]
        for case in entries(conformance / "gatekeeper-cases.jsonl.zst")
    }
    yield from islice(constraints.values(), _GATEKEEPER)


def _falco(found: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All lists and macros, and so many rules."""
    rules = 0
    for entry in found:
        rules += "rule" in entry
        if "required_engine_version" not in entry and ("rule" not in entry or rules <= _FALCO):
            yield entry
