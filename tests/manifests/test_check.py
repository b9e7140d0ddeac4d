"""`shipper/manifests/check.py`: what rules and policies say of manifests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shipper.manifests.result import Report
from shipper.rules.load import load_tested
from tests.manifests.support import checked, pod, rules_in
from tests.rules.dialects.tiny import demand, namespace
from tests.rules.support import params, rule

IN_PODS = {"resources": ["pods"]}
LATEST = 'containers.exists(c, c.image.endsWith(":latest"))'


def said(report: Report) -> list[tuple[str, str, str]]:
    return [(one.level, one.name, str(one.manifest)) for one in report.results]


def labelled(**labels: str) -> dict[str, Any]:
    one = pod()
    one["metadata"]["labels"] = labels
    return one


# ---- policies


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    ("action", "level"), [("deny", "deny"), ("warn", "warn"), ("audit", "warn")]
)
def test_a_failure_is_what_the_policy_does_to_it(tmp_path: Path, action: str, level: str) -> None:
    """A policy that only warns or audits denies nothing here either."""
    rules = rules_in(tmp_path, demand(action=action))
    report = checked(tmp_path, rules, labelled(team="a"), labelled(other="b"))
    (result,) = report.results
    assert (result.level, result.name) == (level, "Demand has-team: label")
    assert (result.message, result.line) == ("needs the label team", 3)
    assert (report.passed, report.policies) == (1, 1)


@pytest.mark.usefixtures("tiny")
def test_what_needs_the_cluster_is_undecided(tmp_path: Path) -> None:
    """No pass, and no deny."""
    report = checked(tmp_path, rules_in(tmp_path, demand(cluster=True)), pod())
    (result,) = report.results
    assert (result.level, result.message) == (
        "undecided", "could not be decided: asks the cluster",
    )  # fmt: skip
    assert report.passed == 0


@pytest.mark.usefixtures("tiny")
def test_namespaces_are_known_from_the_manifests_and_from_the_rules(tmp_path: Path) -> None:
    """The manifests' own go first; a namespace that stands nowhere leaves its labels open."""
    rules = rules_in(tmp_path, demand(namespaces={"env": "prod"}), namespace("shop", env="prod"))
    assert [one[0] for one in said(checked(tmp_path, rules, pod()))] == ["deny"]
    assert said(checked(tmp_path, rules, pod(), namespace("shop", env="test"))) == []
    assert [one[0] for one in said(checked(tmp_path, rules, pod(namespace="x")))] == ["undecided"]


@pytest.mark.usefixtures("tiny")
def test_a_policy_that_fails_is_undecided(tmp_path: Path) -> None:
    """One policy's fault is not a pass, and does not end the others."""
    rules = rules_in(tmp_path, demand("broken", raises=True), demand())
    assert [one[0] for one in said(checked(tmp_path, rules, pod()))] == ["undecided", "deny"]


def test_detections_are_about_requests(tmp_path: Path) -> None:
    """Sigma and Falco look at who asks: not asked, and named if they look at a body."""
    falco = """
- macro: kevt
  condition: (jevt.value[/stage] in ("ResponseComplete"))
- rule: Privileged pod
  desc: d
  condition: kevt and ka.req.pod.containers.privileged intersects (true)
  output: o
  priority: WARNING
  source: k8s_audit
"""
    path = tmp_path / "rules.yaml"
    path.write_text(falco)
    report = checked(tmp_path, load_tested([path]), pod())
    assert (report.results, len(report.not_asked)) == ([], 1)


# ---- rules of our own


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ({"severity": "critical"}, "deny"),
        ({"severity": "high"}, "deny"),
        ({"severity": "medium"}, "warn"),
        ({"severity": "info"}, "warn"),
        ({"severity": "high", "mode": "shadow"}, "warn"),
    ],
)
def test_severe_rules_deny(tmp_path: Path, options: dict[str, Any], level: str) -> None:
    """A rule about objects is asked as if the object had been created; shadow rules only warn."""
    found = rule(match=IN_PODS, when=LATEST, message="{{ request.name }}: latest", **options)
    report = checked(
        tmp_path, rules_in(tmp_path, found),
        pod("good"), pod("bad", containers=[{"name": "c", "image": "x:latest"}]),
    )  # fmt: skip
    assert said(report) == [(level, "AuditRule r", "Pod shop/bad")]
    assert report.results[0].message == "bad: latest"


def test_each_object_is_told_of(tmp_path: Path) -> None:
    """A threshold of one only keeps a daemon quiet."""
    found = rule(match=IN_PODS, when=LATEST, threshold={"count": 1, "within": "1h"})
    bad = [pod(name, containers=[{"name": "c", "image": "x:latest"}]) for name in "abc"]
    assert len(checked(tmp_path, rules_in(tmp_path, found), *bad).results) == 3


NOT_ASKED: dict[str, dict[str, Any]] = {
    "of whom": {"match": {**IN_PODS, "users": ["alice"]}},
    "of which group": {"match": {**IN_PODS, "groups": ["dev*"]}},
    "how often": {"threshold": {"count": 2, "within": "1h"}},
    "from where": {"when": f'{LATEST} && event.sourceIP == ""'},
    "with what": {"when": f'{LATEST} && event.userAgent == ""'},
    "when": {"when": f'{LATEST} && event.stageTimestamp != ""'},
    "who exactly": {"when": f'{LATEST} && event.user.username == "somebody"'},
    "what was before": {"when": f"{LATEST} && oldObject == null"},
}


@pytest.mark.parametrize("options", NOT_ASKED.values(), ids=NOT_ASKED)
def test_rules_that_hang_on_more_than_the_object_are_not_asked(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """And they are named. A manifest says nothing of who will apply it, when, or from where."""
    found = rule(**{"match": IN_PODS, "when": LATEST, **options})
    bad = pod(containers=[{"name": "c", "image": "x:latest"}])
    report = checked(tmp_path, rules_in(tmp_path, found), bad, bad)
    assert (said(report), report.not_asked) == ([], ["r"])


def test_rules_that_let_some_users_pass_are_asked(tmp_path: Path) -> None:
    """`somebody` is none of those whom a rule excludes."""
    found = rule(
        match={**IN_PODS, "users": ["!system:*"]},
        when=f"!(event.user.username in params.robots) && {LATEST}",
    )
    rules = rules_in(tmp_path, params(robots=["argo"]), found)
    bad = pod(containers=[{"name": "c", "image": "x:latest"}])
    assert [one[0] for one in said(checked(tmp_path, rules, bad))] == ["deny"]


def test_rules_about_requests_alone_are_no_matter(tmp_path: Path) -> None:
    """They look at no object: neither asked nor named."""
    rules = rules_in(tmp_path, rule(match=IN_PODS), rule("e", when='event.verb == "create"'))
    report = checked(tmp_path, rules, pod())
    assert (said(report), report.not_asked, report.rules) == ([], [], 0)


def test_an_undecided_rule_is_no_pass(tmp_path: Path) -> None:
    """An object without what the expression looks at, for each object."""
    found = rule(match=IN_PODS, when='object.spec.nodeName.startsWith("a") || object.spec.x == 1')
    report = checked(tmp_path, rules_in(tmp_path, found), pod(nodeName=1), pod(nodeName=2))
    assert [result.level for result in report.results] == ["undecided", "undecided"]


def test_an_exception_that_has_expired_is_none(tmp_path: Path) -> None:
    """The moment of the check is that of the event."""
    exceptions = [
        {"match": {"namespaces": ["old"]}, "until": "2026-01-31", "reason": "a"},
        {"match": {"namespaces": ["new"]}, "until": "2027-01-31", "reason": "b"},
    ]
    rules = rules_in(tmp_path, rule(match=IN_PODS, when=LATEST, exceptions=exceptions))
    bad = [{"name": "c", "image": "x:latest"}]
    report = checked(
        tmp_path, rules, pod(namespace="old", containers=bad), pod(namespace="new", containers=bad)
    )
    assert [str(result.manifest) for result in report.results] == ["Pod old/p"]


def test_odd_values_are_judged(tmp_path: Path) -> None:
    """Numbers at the edge, a NUL, texts where maps should be: no rule and no policy breaks."""
    odd = (
        'apiVersion: v1\nkind: Pod\nmetadata: {name: "a\\0b", namespace: x}\n'
        "spec: {a: -9223372036854775808, b: 18446744073709551615, c: 1e308, containers: text}\n"
    )
    found = rule(match=IN_PODS, when="size(containers) == 0")
    report = checked(tmp_path, rules_in(tmp_path, found), odd)
    assert said(report) == [("deny", "AuditRule r", "Pod x/a\\u0000b")]


@pytest.mark.usefixtures("tiny")
def test_names_of_policies_obey_no_terminal(tmp_path: Path) -> None:
    """Whoever wrote the policy does not write to the screen of who runs it."""
    report = checked(tmp_path, rules_in(tmp_path, demand("\x1b[2J")), pod())
    assert report.results[0].policy == "Demand \\u001b[2J"
