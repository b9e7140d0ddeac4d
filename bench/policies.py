"""What admission policies cost: a pod under all those that a cluster may have.

In this process, with the corpus' own policies and a pod of the recording: nothing is read, decoded
or sealed meanwhile.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from bench import corpus
from bench.bench import Bench
from bench.table import Row, known, under
from shipper.rules.dialects.policy import Ident, Policy, Source
from shipper.rules.dialects.review import Review, Target
from shipper.rules.dialects.vap import Vap

_CONFORMANCE = corpus.ROOT.parent / "shared" / "conformance"
_POLICIES, _VALIDATIONS = 40, 80
_POD_BYTES = 4_900
_ROUNDS = 200
_POD_STORED = b'"responseObject":{"kind":"Pod","apiVersion":"v1"'


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    bench.say("a pod under ValidatingAdmissionPolicies")
    policies, validations, link_seconds = _policies()
    review, size = _review()
    judge_seconds = statistics.median(_judged(policies, review) for _ in range(_ROUNDS))
    what = f"a pod of {size:,} bytes under {len(policies)} VAPs ({validations} validations)"
    yield under(what, judge_seconds * 1e3, 2, "ms", digits=2)
    yield known("those VAPs, loaded, each", link_seconds / len(policies) * 1e3, "ms", digits=1)


def _judged(policies: list[Policy], review: Review) -> float:
    """CPU seconds for all of them, the conversion of the object included."""
    asked = msgspec.structs.replace(review)  # one that nobody has been asked about
    begin = time.thread_time()
    for policy in policies:
        policy.judge(asked)
    return time.thread_time() - begin


def _policies() -> tuple[list[Policy], int, float]:
    """Those of the corpus that are about pods, again and again until there are enough."""
    every = [value for entry in _entries("vap-policies") for value in entry["documents"]]
    about_pods = [value for value in every if _is_about_pods(value)]
    params = next(entry["params"] for entry in _entries("vap-cases") if entry.get("params"))
    values, count, validations = [params], 0, 0
    while count < _POLICIES or validations < _VALIDATIONS:
        value = about_pods[count % len(about_pods)]
        name = f"{value['metadata']['name']}-{count}"
        values += [{**value, "metadata": {"name": name}}, _binding(value, name, params)]
        validations += len(value["spec"]["validations"])
        count += 1
    begin = time.thread_time()
    linked = Vap().link({_ident(value): Source(value, None) for value in values})
    seconds = time.thread_time() - begin
    if linked.problems:
        raise corpus.NoCorpusError(str(linked.problems[0]))
    return list(linked.policies), validations, seconds


def _is_about_pods(value: dict[str, Any]) -> bool:
    if value["kind"] != "ValidatingAdmissionPolicy":
        return False
    rules = value["spec"]["matchConstraints"]["resourceRules"]
    return any("pods" in rule["resources"] for rule in rules)


def _binding(value: dict[str, Any], name: str, params: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {"policyName": name, "validationActions": ["Deny"]}
    if "paramKind" in value["spec"]:
        spec["paramRef"] = {"name": params["metadata"]["name"]}
    kind, metadata = f"{value['kind']}Binding", {"name": name}
    return {"apiVersion": value["apiVersion"], "kind": kind, "metadata": metadata, "spec": spec}


def _ident(value: dict[str, Any]) -> Ident:
    group = value["apiVersion"].rpartition("/")[0]
    return Ident(group, value["kind"], "", value["metadata"]["name"])


def _review() -> tuple[Review, int]:
    """The recorded creation whose pod has about the size that pods have."""
    pods = [
        (body, len(msgspec.json.encode(body)))
        for line in _lines(corpus.recording())
        if _POD_STORED in line and b'"verb":"create"' in line
        for body in [msgspec.json.decode(line)["responseObject"]]
    ]
    if not pods:
        raise corpus.NoCorpusError("the recording has no pod that was created")
    pod, size = min(pods, key=lambda found: abs(found[1] - _POD_BYTES))
    metadata = pod["metadata"]
    target = Target("CREATE", "", "v1", "pods", "", "Pod")
    namespace, name = metadata["namespace"], metadata["name"]
    return Review(
        target=target, namespace=namespace, name=name, identity=None, object=pod, old_object=None
    ), size


def _entries(name: str) -> Iterator[dict[str, Any]]:
    path = _CONFORMANCE / f"{name}.jsonl.zst"
    if not path.exists():
        raise corpus.NoCorpusError(f"no policies: {path} is not there")
    yield from map(msgspec.json.decode, _lines(path))


def _lines(path: Path) -> Iterator[bytes]:
    with zstandard.open(path, "rb") as file:
        rest = b""
        while block := file.read(1 << 20):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines
        if rest:
            yield rest
