"""What came past real policies in a real API server's log, against the API server's own words.

The recording has ValidatingAdmissionPolicies and their bindings, Namespaces that they select,
denials, and failures that were only audited.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from shipper.config import Rules
from shipper.model import Finding
from shipper.rules.engine import Engine
from shipper.rules.load import load_rules
from tests.rules.support import written

FAILURES = "validation.policy.admission.k8s.io/validation_failure"


@pytest.fixture(scope="module")
def log(request: pytest.FixtureRequest) -> list[bytes]:
    path = request.config.rootpath.parent / "shared/corpora/lifecycle/audit.log.zst"
    if not path.exists():
        pytest.skip("needs ../shared, the project's recordings, which a clone does not have")
    with path.open("rb") as file:
        return (
            io.BytesIO(zstandard.ZstdDecompressor().stream_reader(file).read()).read().split(b"\n")
        )


@pytest.fixture(scope="module")
def events(log: list[bytes]) -> list[dict[str, Any]]:
    """The ends of requests."""
    ended = (line for line in log if b'"stage":"ResponseComplete"' in line[:400])
    return [msgspec.json.decode(line) for line in ended]


def bypassed(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.rule == "guardrail-bypass"]


def snapshot(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What `kubectl get -o yaml` would have said once all of it had been made."""
    items = [
        event["responseObject"]
        for event in events
        if event["verb"] == "create"
        and event["responseStatus"]["code"] == 201
        and event["objectRef"]["resource"]
        in ("namespaces", "validatingadmissionpolicies", "validatingadmissionpolicybindings")
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def test_from_the_log_alone_it_finds_what_the_api_server_says(
    log: list[bytes], events: list[dict[str, Any]]
) -> None:
    """No file: policies, bindings and Namespaces come from the log. Exactly the writes, policies
    and bindings that the API server annotated, and nothing of those that were denied. (va-evil2
    fails approved-registries too: the annotation has room for one policy, and here it is quiet,
    being the second in the hour.)"""
    said = [
        (event["auditID"], failure["policy"], failure["binding"])
        for event in events
        for failure in msgspec.json.decode(event.get("annotations", {}).get(FAILURES, "[]"))
    ]
    found = bypassed(Engine(load_rules(Rules("none", policies="from-log"))).evaluate(log))
    assert len(said) == 2
    assert [
        (one.audit_id, one.guardrail.name, one.guardrail.rule.partition(":")[0])
        for one in found
        if one.guardrail
    ] == said
    assert {(one.severity, one.verdict) for one in found} == {("low", "match")}


def test_with_everything_in_force_from_the_start(
    log: list[bytes], events: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A fixed snapshot judges the whole log: what was written before the policies is no bypass."""
    rules = load_rules(Rules("none", [str(written(tmp_path, snapshot(events)))]))
    found = bypassed(Engine(rules).evaluate(log))
    assert {one.severity for one in found} <= {"low", "info"}
    ways = {one.guardrail.way for one in found if one.guardrail and one.severity == "info"}
    assert all(way.startswith("admitted before ValidatingAdmissionPolicy") for way in ways)


def test_a_binding_that_should_have_denied(
    log: list[bytes], events: list[dict[str, Any]], tmp_path: Path
) -> None:
    """As if the audited Namespace had been bound to deny, and the cluster had not done it."""
    listed = snapshot(events)
    for item in listed["items"]:
        if item["kind"] == "ValidatingAdmissionPolicyBinding":
            item["spec"]["validationActions"] = ["Deny"]
    rules = load_rules(Rules("none", [str(written(tmp_path, listed))]))
    found = [one for one in bypassed(Engine(rules).evaluate(log)) if one.severity == "high"]
    assert [(one.what.namespace, one.what.name) for one in found] == [
        ("vap-audit", "va-evil"), ("vap-audit", "va-evil2"), ("vap-audit", "va-evil2"),
    ]  # fmt: skip
    ways = [one.guardrail.way for one in found if one.guardrail]
    assert all(re.search(" was created [67] s before; ", way) for way in ways), ways


def test_a_deleted_binding_is_not_in_force(log: list[bytes], tmp_path: Path) -> None:
    """The log deletes no-privileged-deny: what the log says later is judged without it."""
    engine = Engine(load_rules(Rules("none", policies="from-log")))
    engine.evaluate(log)
    (policy,) = [
        one for one in engine.guardrails.policies.policies if one.ident.name == "no-privileged"
    ]
    assert sorted(part.name for part in policy.parts) == ["no-privileged", "no-privileged-audit"]
