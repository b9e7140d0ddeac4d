"""Sets of rules asked about batches, with policies of a language of the tests' own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shipper.backtest.tally import AUDIT_RULE, Subject
from shipper.rules.ruleset import RuleSet
from tests.backtest.support import judged, labelled, tried
from tests.rules.dialects.tiny import GROUP, RULE, TINY, demand
from tests.rules.support import params, pod, rule

pytestmark = pytest.mark.usefixtures("tiny")

_HAS_TEAM = Subject("Demand", "", "has-team", RULE)
_BOB = {"username": "bob"}


def test_what_a_policy_would_have_denied(tmp_path: Path) -> None:
    """Every accepted write that it says no to, out of all those that it speaks of."""
    rules = tried(tmp_path, demand())
    result = judged(
        [rules], labelled(1), labelled(2, {"team": "a"}), labelled(3), pod({}, code=403)
    )
    found = result.tally.rules[_HAS_TEAM]
    assert (found.matches, found.spoken, found.action) == (2, 3, "deny")
    assert (found.users, found.namespaces) == ({"bob": 2}, {"default": 2})
    assert found.workloads == {"Pod default/p1": 1, "Pod default/p3": 1}
    sample = found.samples[0]
    assert (sample.finding.audit_id, sample.finding.line, sample.seq) == ("id-1", 0, 7)
    assert sample.finding.message == "needs the label team"
    assert result.tally.costs["Demand has-team"].asked == 3


def test_a_policy_is_asked_as_if_it_had_denied_all_along(tmp_path: Path) -> None:
    """One that is newer than the event, or only audits: that is what one wants to know of it."""
    result = judged([tried(tmp_path, demand(action="audit"))], labelled(1))
    found = result.tally.rules[_HAS_TEAM]
    assert (found.matches, found.action) == (1, "audit")


def test_exempt_and_undecided_are_counted_apart(tmp_path: Path) -> None:
    """Neither is a denial, nor a pass."""
    rules = tried(tmp_path, demand(exempt=["bob"]), demand("b", cluster=True))
    result = judged([rules], labelled(1))
    found, other = (result.tally.rules[Subject("Demand", "", n, RULE)] for n in ("has-team", "b"))
    assert (found.matches, found.exempt, found.exemptions) == (0, 1, {"user bob": 1})
    assert (other.matches, other.undecided, other.reasons) == (0, 1, {"asks the cluster": 1})
    assert result.tally.denied.matches == 0


def test_a_request_is_denied_once(tmp_path: Path) -> None:
    """However many policies say no."""
    rules = tried(tmp_path, demand(), demand("b", label="owner"), rule(match={"verbs": ["create"]}))
    result = judged([rules], labelled(1))
    assert result.tally.denied.matches == 1
    assert [tally.matches for tally in result.tally.rules.values()] == [1, 1, 1]


def test_a_policy_that_fails_is_undecided(tmp_path: Path) -> None:
    """A fault of ours is no verdict, and ends nothing."""
    result = judged([tried(tmp_path, demand(raises=True), demand("b"))], labelled(1))
    faulty = result.tally.rules[Subject("Demand", "", "has-team")]
    assert (faulty.undecided, result.tally.denied.matches) == (1, 1)


def test_each_undecided_event_counts(tmp_path: Path) -> None:
    """Live, what repeats itself is folded; here the share of it is the question."""
    wants_body = rule(match={"resources": ["pods"]}, when="object.spec.hostNetwork")
    bare = pod({}, level="Metadata", requestObject=None, responseObject=None)
    result = judged([tried(tmp_path, wants_body)], bare, bare, bare)
    found = result.tally.rules[Subject(AUDIT_RULE, "", "r")]
    assert (found.matches, found.undecided, len(found.reasons)) == (0, 3, 1)


def test_what_was_refused_already_is_no_denial(tmp_path: Path) -> None:
    """It is counted by who refused."""
    message = 'admission webhook "w" denied the request: no'
    refused = pod({}, code=403, responseStatus={"code": 403, "message": message})
    result = judged([tried(tmp_path, demand())], refused)
    assert result.refused == {"webhook w": 1}
    assert not result.tally.rules


def test_events_outside_the_window_do_not_count(tmp_path: Path) -> None:
    """Of a plain log; the lines were read all the same."""
    since = datetime(2026, 11, 23, 15, 2, tzinfo=UTC)
    rules = tried(tmp_path, demand(), rule(match={"verbs": ["create"]}))
    result = judged([rules], labelled(1), labelled(2), since=since)
    assert [tally.matches for tally in result.tally.rules.values()] == [1, 1]
    assert (result.lines, result.first) == (2, since)


def test_lines_that_are_no_events_are_counted(tmp_path: Path) -> None:
    """Each of them, and they stop nothing."""
    result = judged([tried(tmp_path, demand())], b"garbage", b"", labelled(1))
    assert result.tally.rules[Subject(AUDIT_RULE, "", "malformed-line")].matches == 2
    assert result.tally.denied.matches == 1


def test_two_versions_on_one_history(tmp_path: Path) -> None:
    """Request by request, whichever of their rules says so: new, gone, both."""
    old, new = demand(), demand("renamed", label="owner")
    result = judged(
        [tried(tmp_path, old, name="old"), tried(tmp_path, new, name="new")],
        labelled(1, {"team": "a"}), labelled(2, {"owner": "o"}), labelled(3),
        labelled(4, {"team": "a", "owner": "o"}),
    )  # fmt: skip
    assert result.comparison is not None
    found = {name: list(group.workloads) for name, group in result.comparison.groups.items()}
    assert (found["new"], found["gone"], found["both"]) == (
        ["Pod default/p1"], ["Pod default/p2"], ["Pod default/p3"],
    )  # fmt: skip
    assert [tally.denied.matches for tally in result.tallies] == [2, 2]


def test_versions_of_rules_are_compared_too(tmp_path: Path) -> None:
    """Also where the old one could not decide."""
    match = {"verbs": ["create"], "resources": ["pods"]}
    old = tried(tmp_path, rule(match=match, when="object.spec.hostNetwork"), name="old")
    new = tried(tmp_path, params(no=[]), rule(match=match), name="new")
    bare = pod({}, level="Metadata", requestObject=None, responseObject=None)
    result = judged([old, new], bare, pod({"hostNetwork": True}), bare)
    assert result.comparison is not None
    counts = {name: group.matches for name, group in result.comparison.groups.items()}
    assert (counts["both"], counts["new"], counts["new, undecided before"]) == (1, 0, 2)


def replayed(rules: RuleSet) -> RuleSet:
    return rules.with_policies(rules.policies, TINY.make())


def of_policy(number: int, document: dict[str, Any], verb: str = "create") -> bytes:
    """A policy was written, or deleted."""
    name = document["metadata"]["name"]
    reference = {"apiGroup": GROUP, "apiVersion": "v1", "resource": "demands", "name": name}
    return labelled(number, verb=verb, objectRef=reference, responseObject=document)


def test_policies_of_each_moment(tmp_path: Path) -> None:
    """What the history shows: made, changed, deleted; beginning with those in files."""
    rules = replayed(tried(tmp_path, demand(label="app")))
    result = judged(
        [rules],
        labelled(1, {"app": "x"}), labelled(2),
        of_policy(3, demand(label="team"), "update"), labelled(4, {"app": "x"}),
        of_policy(5, demand(label="team"), "delete"), labelled(6),
    )  # fmt: skip
    found = result.tally.rules[_HAS_TEAM]
    assert [sample.finding.audit_id for sample in found.samples] == ["id-2", "id-4"]
    assert found.spoken == 3


def test_what_the_history_does_not_show_is_a_doubt(tmp_path: Path) -> None:
    """A policy was written and the event does not say what it is now."""
    unseen = of_policy(1, demand()).replace(b"RequestResponse", b"Metadata")
    unseen = unseen.replace(b"responseObject", b"otherObject")
    result = judged([replayed(tried(tmp_path, demand()))], unseen, labelled(2))
    [doubt] = result.tally.doubts
    assert "demands has-team was written" in doubt
    assert result.tally.denied.matches == 0
