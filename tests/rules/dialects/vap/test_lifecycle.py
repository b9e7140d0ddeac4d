"""What a real API server decided, beside what we say of the same requests.

The recording has policies and bindings as they were created, requests that they denied, and others
that they let pass with a `validation_failure` annotation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from shipper.rules.dialects.kinds import kind_of
from shipper.rules.dialects.policy import Ident, Linked, Source, Verdict
from shipper.rules.dialects.review import Identity, Operation, Review, Target
from shipper.rules.dialects.vap import Vap
from shipper.rules.dialects.vap.dialect import BINDING, POLICY
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.objects import ident_of

_OPERATIONS: dict[str, Operation] = {
    "create": "CREATE", "update": "UPDATE", "patch": "UPDATE", "delete": "DELETE"
}  # fmt: skip
_FAILURES = "validation.policy.admission.k8s.io/validation_failure"
_KINDS = {"validatingadmissionpolicies": POLICY, "validatingadmissionpolicybindings": BINDING}


@pytest.fixture
def judged(shared: Path) -> list[tuple[dict[str, Any], list[tuple[str, Verdict]]]]:
    """Each write under a policy, with what the policies in force say of it."""
    return list(_judged(shared / "corpora" / "lifecycle" / "audit.log.zst"))


def test_what_was_denied_fails_and_what_passed_does_not(
    judged: list[tuple[dict[str, Any], list[tuple[str, Verdict]]]],
) -> None:
    """No request of the recording is judged otherwise than the API server judged it."""
    denied = 0
    for event, verdicts in judged:
        refused = [verdict for _, verdict in verdicts if verdict.outcome == "fail"]
        refused = [verdict for verdict in refused if verdict.action == "deny"]
        assert bool(refused) is _is_denied(event), event["auditID"]
        if refused:
            denied += 1
            message = event["responseObject"]["message"]
            assert any(verdict.message.split(" resulted")[0] in message for verdict in refused)
    assert denied == 19


def test_what_was_only_audited_fails_with_the_same_words(
    judged: list[tuple[dict[str, Any], list[tuple[str, Verdict]]]],
) -> None:
    """The annotation names policy, binding, expression and message."""
    seen = 0
    for event, verdicts in judged:
        written = event.get("annotations", {}).get(_FAILURES)
        if written is None:
            continue
        seen += 1
        ours = {
            (name, verdict.rule, verdict.message)
            for name, verdict in verdicts
            if verdict.outcome == "fail" and verdict.action != "deny"
        }
        for one in msgspec.json.decode(written):
            rule = f"{one['binding']}: validations[{one['expressionIndex']}]"
            assert (one["policy"], rule, one["message"]) in ours
    assert seen == 2


def _judged(
    recording: Path,
) -> Iterator[tuple[dict[str, Any], list[tuple[str, Verdict]]]]:
    dialect, objects = Vap(), dict[Ident, Source]()
    linked = Linked((), ())
    namespaces: dict[str, Any] = {}
    for event in _writes(recording):
        ref, body = event["objectRef"], event.get("responseObject") or {}
        if ref["resource"] == "namespaces" and body.get("kind") == "Namespace":
            namespaces[body["metadata"]["name"]] = body
        if ref["resource"] in _KINDS and event["responseStatus"]["code"] < 300:
            if event["verb"] == "delete":
                objects.pop(Ident(*_KINDS[ref["resource"]], "", ref["name"]))
            elif not ref.get("subresource"):
                objects[ident_of(body)] = Source(body, None)
            linked = dialect.link(objects)
            assert not linked.problems
        elif event["responseStatus"]["code"] < 300 or _is_denied(event):
            review = _review(event, namespaces)
            yield (
                event,
                [
                    (policy.ident.name, verdict)
                    for policy in linked.policies
                    for verdict in policy.judge(review)
                ],
            )


def _writes(recording: Path) -> Iterator[dict[str, Any]]:
    with zstandard.open(recording, "rb") as file:
        for line in file.read().splitlines():
            event = msgspec.json.decode(line)
            complete = event["stage"] == "ResponseComplete"
            if complete and event["verb"] in _OPERATIONS and "objectRef" in event:
                yield event


def _is_denied(event: dict[str, Any]) -> bool:
    answer = event.get("responseObject") or {}
    return "ValidatingAdmissionPolicy '" in answer.get("message", "")


def _review(event: dict[str, Any], namespaces: dict[str, Any]) -> Review:
    ref, who = event["objectRef"], event.get("impersonatedUser") or event["user"]
    operation = _OPERATIONS[event["verb"]]
    group, version = ref.get("apiGroup", ""), ref.get("apiVersion", "")
    resource, subresource = ref["resource"], ref.get("subresource", "")
    body = event.get("requestObject" if _is_denied(event) else "responseObject")
    shown = UNBOUND if body is None or body.get("kind") == "Status" else body
    kind = kind_of(group, resource, subresource)
    return Review(
        target=Target(operation, group, version, resource, subresource, kind),
        namespace=ref.get("namespace", ""),
        name=ref.get("name", ""),
        identity=Identity(who["username"], tuple(who.get("groups", ()))),
        object=None if operation == "DELETE" else shown,
        old_object=None if operation == "CREATE" else UNBOUND,
        namespace_object=namespaces.get(ref.get("namespace", ""), UNBOUND),
    )
