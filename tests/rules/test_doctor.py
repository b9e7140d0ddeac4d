"""Which rules an audit policy blinds, and what to add to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipper.config import Rules
from shipper.errors import ConfigError
from shipper.rules.audit_policy import Policy, Request, load_policy, steps
from shipper.rules.doctor import Gap, Sight, examine, remedy
from shipper.rules.load import load_rules
from shipper.rules.resources import Resource
from tests.rules.dialects.tiny import demand
from tests.rules.support import rule, rules_of
from tests.rules.support import written as documents

PODS, EXEC = Resource("", "pods"), Resource("", "pods", "exec")


def policy(*rules: dict[str, Any], **top: Any) -> Policy:
    page = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules, **top}
    return msgspec.convert(page, Policy)


def core(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"group": "", "resources": names, **more}]


def sight(directory: Path, spec: dict[str, Any], *rules: dict[str, Any], **top: Any) -> Sight:
    (found,) = examine(rules_of(directory, rule(**spec)), policy(*rules, **top))
    return found


SECRETS = {"match": {"verbs": ["get", "list"], "resources": ["secrets"]}}
PRIVILEGED = {
    "match": {"verbs": ["create"], "resources": ["pods"]},
    "when": "event.responseStatus.code < 300 && has(podSpec.hostPID)",
}


def gaps(found: Sight) -> list[tuple[str, int, bool, str]]:
    return [
        (gap.why, gap.number, gap.surely, " ".join(f"{p.verb}:{p.resource}" for p in gap.probes))
        for gap in found.gaps
    ]


def test_a_policy_that_logs_it_all_blinds_nobody(tmp_path: Path) -> None:
    """Nothing to say, nothing to add."""
    for spec in (SECRETS, PRIVILEGED, {}):
        found = sight(tmp_path, spec, {"level": "RequestResponse"})
        assert not found.gaps
        assert not found.blind
        assert remedy([found]) == []


def test_what_is_not_logged_is_named(tmp_path: Path) -> None:
    """By the rule of the policy that decides; where none fits, nothing is logged."""
    found = sight(
        tmp_path, SECRETS,
        {"level": "None", "verbs": ["get"]}, {"level": "Metadata", "resources": core("pods")},
    )  # fmt: skip
    assert gaps(found) == [
        ("not logged", 1, True, "get:secrets"),
        ("not logged", 0, True, "list:secrets"),
    ]
    assert found.blind


def test_a_level_too_low_is_named(tmp_path: Path) -> None:
    """The level that there is and the one that is needed."""
    found = sight(tmp_path, PRIVILEGED, {"level": "Metadata"})
    assert found.blind
    assert [(gap.level, gap.needs, gap.why) for gap in found.gaps] == [
        ("Metadata", "Request", "level too low")
    ]
    assert not sight(tmp_path, PRIVILEGED, {"level": "Request"}).gaps


def test_a_stage_that_is_omitted_is_named(tmp_path: Path) -> None:
    """Long-running requests are answered when they start, others at their end."""
    spec = {"match": {"verbs": ["create"], "resources": ["pods/exec"]}}
    omitted = sight(tmp_path, spec, {"level": "Metadata", "omitStages": ["ResponseStarted"]})
    assert gaps(omitted) == [("stage omitted", 1, True, "create:pods/exec")]
    assert not sight(tmp_path, spec, {"level": "Metadata"}, omitStages=["ResponseComplete"]).gaps
    assert sight(tmp_path, SECRETS, {"level": "Metadata"}, omitStages=["ResponseComplete"]).blind


def test_failed_logins_are_seen_when_the_response_starts(tmp_path: Path) -> None:
    """A 401 has that one stage: the rule's own condition says that it is about those."""
    spec = {"when": "event.responseStatus.code == 401"}
    assert sight(tmp_path, spec, {"level": "Metadata", "omitStages": ["ResponseStarted"]}).blind
    assert not sight(tmp_path, spec, {"level": "Metadata"}, omitStages=["ResponseComplete"]).gaps


def test_a_rule_of_the_policy_for_some_blinds_in_part(tmp_path: Path) -> None:
    """Of users, groups, namespaces or names it is not known whether they are the request's."""
    for some in (
        {"users": ["bob"]},
        {"userGroups": ["g"]},
        {"namespaces": ["n"]},
        {"resources": core("secrets", resourceNames=["x"])},
    ):
        found = sight(tmp_path, SECRETS, {"level": "None", **some}, {"level": "Metadata"})
        assert gaps(found) == [("not logged", 1, False, "get:secrets list:secrets")]
        assert not found.blind


def test_a_rule_of_the_policy_for_others_blinds_nobody(tmp_path: Path) -> None:
    """Where the guardrail looks away from whom it names, or from where."""
    spec = {"match": SECRETS["match"] | {"users": ["!system:*"], "namespaces": ["!kube-system"]}}
    for others in ({"users": ["system:kube-proxy"]}, {"namespaces": ["kube-system"]}):
        assert not sight(tmp_path, spec, {"level": "None", **others}, {"level": "Metadata"}).gaps


def test_what_to_add_makes_it_see(tmp_path: Path) -> None:
    """Put first, the rules that are proposed close every gap that a rule of a policy can."""
    rules = rules_of(
        tmp_path,
        rule("secrets", **SECRETS),
        rule("privileged", **PRIVILEGED),
        rule("patches", match={"resources": ["deployments"]}, when="has(podSpec.hostPID)"),
        rule("bob", match={"users": ["bob"], "resources": ["nodes/proxy"]}),
        rule("own", match={"apiGroups": ["example.com"], "resources": ["things"]}),
    )
    before: list[dict[str, Any]] = [
        {"level": "None", "verbs": ["get"]},
        {"level": "Metadata", "resources": core("*")},
    ]
    added = remedy(examine(rules, policy(*before)))
    assert all(one.gaps for one in examine(rules, policy(*before)))
    after = examine(rules, policy(*added, *before))
    assert [one.gaps for one in after] == [()] * 5
    assert [one["level"] for one in added] == sorted(
        (one["level"] for one in added), key=["RequestResponse", "Request", "Metadata"].index
    )
    assert any(one.get("users") == ["bob"] for one in added)


@pytest.mark.parametrize(
    ("rule_", "request_", "fits"),
    [
        ({}, Request("get", PODS), True),
        ({"verbs": ["list"]}, Request("get", PODS), None),
        ({"resources": [{"group": "apps"}]}, Request("get", PODS), None),
        ({"resources": [{"group": ""}]}, Request("get", EXEC), True),
        ({"resources": core("pods")}, Request("get", PODS), True),
        ({"resources": core("pods")}, Request("create", EXEC), None),
        ({"resources": core("pods/exec")}, Request("create", EXEC), True),
        ({"resources": core("pods/*")}, Request("create", EXEC), True),
        ({"resources": core("pods/*")}, Request("get", PODS), True),
        ({"resources": core("*/exec")}, Request("create", EXEC), True),
        ({"resources": core("*")}, Request("create", EXEC), True),
        ({"nonResourceURLs": ["*"]}, Request("get", PODS), None),
        ({"users": ["a"]}, Request("get", PODS), False),
        ({"namespaces": [""]}, Request("get", PODS), False),
    ],
)
def test_the_policy_is_read_as_the_api_server_reads_it(
    rule_: dict[str, Any], request_: Request, fits: bool | None
) -> None:
    """Surely, for some, or not at all."""
    first = next(steps(policy({"level": "Metadata", **rule_}), request_))
    assert (first.surely if first.number else None) is fits


def test_what_is_no_policy_is_refused_with_every_mistake(tmp_path: Path) -> None:
    """Of another kind, with unknown keys, several documents, or none."""
    path = tmp_path / "policy.yaml"
    path.write_text("""apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: All
- levle: None
  level: None
""")
    with pytest.raises(ConfigError) as caught:
        load_policy(path)
    assert f"{path}:4: rules.0.level: Invalid enum value 'All'" in str(caught.value)
    assert f"{path}:5: rules.1.levle: unknown key; did you mean level?" in str(caught.value)
    for text in ("", "kind: Pod", "a: 1\n---\nb: 2"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="no audit policy"):
            load_policy(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_policy(tmp_path / "none")


@pytest.mark.parametrize("name", ["policy-gke", "policy-mixed", "policy-load", "policy-full"])
def test_real_policies_are_read(shared: Path, name: str) -> None:
    """Anchors, omitStages, omitManagedFields and all."""
    assert load_policy(shared / "corpora" / "policies" / f"{name}.yaml").rules


def test_a_gap_names_its_requests(tmp_path: Path) -> None:
    """Each with its verb and resource, for programs that read them."""
    (gap,) = sight(tmp_path, SECRETS, {"level": "None"}).gaps
    assert isinstance(gap, Gap)
    assert {(probe.verb, probe.resource.resource) for probe in gap.probes} == {
        ("get", "secrets"),
        ("list", "secrets"),
    }


@pytest.mark.usefixtures("tiny")
def test_policies_need_what_they_speak_of_as_it_was_stored(tmp_path: Path) -> None:
    """At RequestResponse; and where the log keeps them current, themselves and their Namespaces."""
    path = str(documents(tmp_path, demand()))
    creations = {"level": "RequestResponse", "resources": core("pods"), "verbs": ["create"]}
    levels: list[dict[str, Any]] = [creations, {"level": "Request"}]
    (found,) = examine(load_rules(Rules("none", [path])), policy(*levels))
    assert found.rule.name == "guardrail-bypass"
    assert gaps(found) == [("level too low", 2, True, "update:pods patch:pods delete:pods")]
    (found,) = examine(load_rules(Rules("none", [path], policies="from-log")), policy(*levels))
    (_, _, _, names) = gaps(found)[0]
    assert {"update:pods", "create:demands", "patch:namespaces"} < set(names.split())
    assert {added["level"] for added in remedy([found])} == {"RequestResponse"}
    assert examine(load_rules(Rules("none", [])), policy(*levels)) == []
