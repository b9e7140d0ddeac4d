"""Writes that came past a policy: each likely way, how loud it is told, and what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shipper.config import RuleOverride, Rules
from shipper.model import Finding, Guardrail
from shipper.rules.engine import Engine
from shipper.rules.guardrails import judge
from shipper.rules.guardrails.bypass import BYPASS
from shipper.rules.load import load_rules
from tests.rules.dialects.tiny import demand, namespace, waiver
from tests.rules.support import line, written

pytestmark = pytest.mark.usefixtures("tiny")

POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "web", "namespace": "prod"}}


def engine(directory: Path, *documents: dict[str, Any], **options: Any) -> Engine:
    return Engine(load_rules(Rules("none", [str(written(directory, *documents))], **options)))


def create(*, at: str = "2026-11-23T15:00:00", user: str = "bob", **fields: Any) -> bytes:
    """A pod was created, as it is written at the end of the request."""
    least = {
        "verb": "create",
        "auditID": "a-1",
        "user": {"username": user},
        "objectRef": {"resource": "pods", "namespace": "prod", "name": "web", "apiVersion": "v1"},
        "responseStatus": {"code": 201},
        "responseObject": POD,
        "requestReceivedTimestamp": f"{at}.000000Z",
        "stageTimestamp": f"{at}.200000Z",
    }
    return line(**{**least, **fields})


def labelled(**labels: str) -> dict[str, Any]:
    return {**POD, "metadata": {**POD["metadata"], "labels": labels}}  # type: ignore[dict-item]


def told(found: list[Finding]) -> list[tuple[str, str]]:
    """Severity and way of each; "?" for what is undecided."""
    return [
        (one.severity, one.guardrail.way if one.guardrail and one.verdict == "match" else "?")
        for one in found
    ]


def test_what_should_have_been_denied_is_a_finding(tmp_path: Path) -> None:
    """Policy, rule, object, user and likely way: in the message, and as fields."""
    (finding,) = engine(tmp_path, demand()).evaluate([create()])
    assert (finding.rule, finding.severity, finding.audit_id) == (BYPASS, "high", "a-1")
    assert finding.message.startswith(
        "bob's CREATE of Pod prod/web came past Demand has-team, rule label: needs the label team;"
        " likely way: not known: "
    )
    assert finding.guardrail == Guardrail(
        kind="Demand", name="has-team", rule="label", action="deny",
        way="not known: nothing in the log explains it; perhaps the policy is not in force in the"
        " cluster, or its webhook was not asked",
    )  # fmt: skip


@pytest.mark.parametrize(
    "raw",
    [
        create(responseObject=labelled(team="a")),
        create(responseStatus={"code": 403}, responseObject={"kind": "Status"}),
        create(requestURI="/api/v1/namespaces/prod/pods?dryRun=All"),
        create(verb="get"),
        create(stage="RequestReceived"),
        create(objectRef={"resource": "services", "namespace": "prod", "apiVersion": "v1"}),
    ],
)
def test_nothing_is_told_of_what_did_not_come_past(tmp_path: Path, raw: bytes) -> None:
    """A pass, a refusal, a dry run, a read, another stage, what the policy does not speak of."""
    assert engine(tmp_path, demand()).evaluate([raw]) == []


def test_what_was_stored_is_judged_and_not_the_patch(tmp_path: Path) -> None:
    """The patch adds the label to something else; the object as stored lacks it."""
    patch = {"metadata": {"labels": {"team": "x"}}}
    raw = create(verb="patch", responseStatus={"code": 200}, requestObject=patch)
    assert [one.severity for one in engine(tmp_path, demand()).evaluate([raw])] == ["high"]


def test_a_webhook_that_failed_open_is_named(tmp_path: Path) -> None:
    """The API server's own word, in the annotations of the same event."""
    key = "failed-open.validation.webhook.admission.k8s.io/round_0_index_1"
    raw = create(annotations={key: "validate.tiny.svc", "other": "x"})
    found = engine(tmp_path, demand()).evaluate([raw])
    assert told(found) == [("high", "a webhook failed open: validate.tiny.svc")]


def test_admitted_before_the_policy_existed(tmp_path: Path) -> None:
    """The policy is younger than the request: nobody is to blame."""
    found = engine(tmp_path, demand()).evaluate([create(at="2025-12-31T23:59:59")])
    way = "admitted before Demand has-team existed (created 2026-01-01T00:00:00Z)"
    assert told(found) == [("info", way)]


def test_a_policy_made_minutes_before(tmp_path: Path) -> None:
    """API servers and webhooks learn of a policy with a delay."""
    found = engine(tmp_path, demand()).evaluate([create(at="2026-01-01T00:01:30")])
    way = "Demand has-team was created 90 s before; such a change takes effect with a delay"
    assert told(found) == [("high", way)]


@pytest.mark.parametrize(("action", "says"), [("audit", "audits"), ("warn", "warns of")])
def test_a_policy_that_only_watches(tmp_path: Path, action: str, says: str) -> None:
    """Low, and once an hour of event time for each policy, rule, namespace and user."""
    rules = engine(tmp_path, demand(action=action))
    way = f"the policy only {says} such writes here"
    lines = [
        create(), create(), create(at="2026-11-23T15:59:00"), create(at="2026-11-23T16:00:01"),
        create(at="2026-11-23T16:00:02", user="eve"),
    ]  # fmt: skip
    found = rules.evaluate(lines)
    assert told(found) == [("low", way)] * 3
    assert [one.line for one in found] == [0, 3, 4]


def test_an_exempt_user_and_an_exception(tmp_path: Path) -> None:
    """Info, with the policy's own reason, and quiet; the others are told of as ever."""
    rules = engine(tmp_path, demand(exempt=["op"]), waiver())
    waived = create(responseObject=labelled(waived="yes"), user="eve")
    found = rules.evaluate([create(user="op"), create(user="op"), waived, create()])
    assert told(found)[:2] == [("info", "exempt: user op"), ("info", "exempt: a waiver")]
    assert [(one.severity, one.line) for one in found] == [("info", 0), ("info", 2), ("high", 3)]


@pytest.mark.parametrize("subresource", ["ephemeralcontainers", "resize"])
def test_an_edit_through_a_subresource(tmp_path: Path, subresource: str) -> None:
    """The policy names pods and not this way to change one; the object is judged all the same."""
    ref = {"resource": "pods", "subresource": subresource, "namespace": "prod", "name": "web"}
    raw = create(verb="patch", objectRef=ref, responseStatus={"code": 200})
    rules = engine(tmp_path, demand())
    way = f"changed through pods/{subresource}, of which the policy does not speak"
    assert told(rules.evaluate([raw])) == [("high", way)]
    status = raw.replace(subresource.encode(), b"status")
    assert rules.evaluate([status]) == []


def test_what_is_not_in_the_log_is_undecided_and_said_once(tmp_path: Path) -> None:
    """At level Metadata no object is known: never a pass, and one finding for many events."""
    bare = create(level="Metadata", responseObject=None).replace(b'"responseObject":null,', b"")
    found = engine(tmp_path, demand(), demand("cluster", cluster=True)).evaluate([bare] * 3)
    assert [(one.verdict, one.severity) for one in found] == [("indeterminate", "info")] * 2
    assert [one.message for one in found] == [
        "could not be decided: Demand cluster, rule label: asks the cluster (2 more like it in the"
        " lines behind it)",
        "could not be decided: Demand has-team, rule label: object is not known (2 more like it in"
        " the lines behind it)",
    ]
    assert found[1].guardrail == Guardrail(kind="Demand", name="has-team", rule="label")


def test_the_namespace_comes_from_the_files(tmp_path: Path) -> None:
    """With its labels the policy can be answered; without them it is undecided."""
    wants = demand(namespaces={"env": "prod"})
    assert told(engine(tmp_path, wants).evaluate([create()])) == [("info", "?")]
    assert engine(tmp_path, wants, namespace("prod", env="dev")).evaluate([create()]) == []
    known = engine(tmp_path, wants, namespace("prod", env="prod"))
    assert [one.severity for one in known.evaluate([create()])] == ["high"]


def test_overrides_say_how_it_is_told(tmp_path: Path) -> None:
    """Severity of what should have been denied, mode, exceptions by match and by CEL, off."""

    def under(**override: Any) -> list[tuple[str, str, int]]:
        rules = engine(tmp_path, demand(), overrides={BYPASS: RuleOverride(**override)})
        found = rules.evaluate([create(user="op"), create()])
        return [(one.severity, one.mode, one.line) for one in found]

    assert under(severity="critical", mode="shadow") == [
        ("critical", "shadow", 0), ("critical", "shadow", 1),
    ]  # fmt: skip
    by_user = {"reason": "known", "match": {"users": ["op"]}}
    by_cel = {"reason": "known", "when": "object.metadata.name == 'web'"}
    ended = {**by_user, "until": "2026-01-31"}
    assert under(exceptions=[by_user]) == [("high", "alert", 1)]
    assert under(exceptions=[by_cel]) == []
    assert under(exceptions=[ended]) == [("high", "alert", 0), ("high", "alert", 1)]
    assert under(mode="off") == []


def test_hostile_texts_are_made_harmless(tmp_path: Path) -> None:
    """Names come from the log: no control character reaches a terminal."""
    raw = create(user="bob\x1b[31m\n")
    (finding,) = engine(tmp_path, demand()).evaluate([raw])
    assert finding.message.isprintable()
    assert "bob\\u001b[31m\\u000a's CREATE" in finding.message


def test_of_one_write_so_many_policies_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What says no before what is not known, and that there are more."""
    monkeypatch.setattr(judge, "MAX_TOLD", 2)
    made = engine(tmp_path, demand("a", raises=True), demand("b"), demand("c"), demand("d"))
    found = made.evaluate([create()])
    assert [one.guardrail.name for one in found if one.guardrail] == ["b", "c"]
    assert "4 verdicts of policies, of which 2 are told" in found[-1].message
    assert found[-1].verdict == "indeterminate"


def test_a_policy_that_fails_stops_nothing(tmp_path: Path) -> None:
    """The others are asked, and the failure is a verdict."""
    rules = engine(tmp_path, demand("a", raises=True), demand("b"))
    found = rules.evaluate([create()])
    assert [one.verdict for one in found] == ["indeterminate", "match"]
    assert "Demand a: the policy failed: RuntimeError" in found[0].message


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_at_the_end_of_time_hides_nothing(tmp_path: Path, moment: str) -> None:
    """Neither a policy's nor an event's: what came past is told, and not that it could not be."""
    timeless = demand()
    timeless["metadata"]["creationTimestamp"] = moment
    (first, second) = engine(tmp_path, timeless).evaluate([create(), create(at=moment[:19])])
    assert [one.severity for one in (first, second)] == ["high", "high"]
    assert [one.verdict for one in (first, second)] == ["match", "match"]
