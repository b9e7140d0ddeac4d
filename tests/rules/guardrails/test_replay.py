"""Policies kept current by the log: each event is judged by the policy of its own moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from shipper.config import Rules
from shipper.model import Finding
from shipper.rules.engine import Engine
from shipper.rules.guardrails import replay
from shipper.rules.guardrails.replay import Replay
from shipper.rules.load import load_rules
from tests.rules.dialects.tiny import GROUP, Tiny, config_map, demand, namespace, waiver
from tests.rules.guardrails.test_bypass import create, labelled, told
from tests.rules.support import line, written

pytestmark = pytest.mark.usefixtures("tiny")

RESOURCES = {
    "Demand": "demands", "DemandException": "demandexceptions",
    "ConfigMap": "configmaps", "Namespace": "namespaces",
}  # fmt: skip


def engine(directory: Path, *documents: dict[str, Any]) -> Engine:
    path = str(written(directory, *documents))
    return Engine(load_rules(Rules("none", [path], policies="from-log")))


def kept(made: Engine) -> Replay:
    found = made.guardrails.replay
    assert found is not None
    return found


def wrote(
    verb: str, value: dict[str, Any], *, at: str = "2026-11-23T14:00:00", **fields: Any
) -> bytes:
    """An object was written, as the API server logs it at level RequestResponse."""
    group, _, version = value["apiVersion"].rpartition("/")
    metadata = value["metadata"]
    ref = {
        "resource": RESOURCES[value["kind"]], "namespace": metadata.get("namespace", ""),
        "name": metadata["name"], "apiGroup": group, "apiVersion": version,
    }  # fmt: skip
    answer = {"kind": "Status", "apiVersion": "v1"} if verb == "delete" else value
    least = {
        "verb": verb, "user": {"username": "admin"}, "objectRef": ref,
        "responseStatus": {"code": 201 if verb == "create" else 200}, "responseObject": answer,
        "requestReceivedTimestamp": f"{at}.000000Z", "stageTimestamp": f"{at}.100000Z",
    }  # fmt: skip
    return line(**{**least, **fields})


def lines_told(found: list[Finding]) -> list[int]:
    return [one.line for one in found if one.verdict == "match"]


def test_a_policy_is_in_force_from_its_creation_to_its_deletion(tmp_path: Path) -> None:
    """Neither before nor after is anything told."""
    policy = demand()
    found = engine(tmp_path).evaluate(
        [create(), wrote("create", policy), create(), wrote("delete", policy), create()]
    )
    assert lines_told(found) == [2]


def test_a_changed_policy_judges_what_comes_after_it(tmp_path: Path) -> None:
    """By update and by patch: the object as stored counts, never the patch."""
    owned = create(responseObject=labelled(owner="x"))
    update = wrote("update", demand(label="owner"))
    patch = wrote("patch", demand(label="cost"), requestObject={"spec": {"label": "nothing"}})
    found = engine(tmp_path, demand()).evaluate([owned, update, owned, patch, owned])
    assert lines_told(found) == [0, 4]
    assert "needs the label cost" in found[1].message


def test_a_parameter_an_exception_and_a_namespace_are_followed(tmp_path: Path) -> None:
    """Whatever a policy is made of, and the labels that it selects by."""
    made = engine(
        tmp_path,
        demand(params="limits", namespaces={"env": "prod"}),
        config_map("limits", label="team"),
        namespace("prod", env="dev"),
    )
    steps = [
        create(),
        wrote("patch", namespace("prod", env="prod")),
        create(),
        wrote("update", config_map("limits", label="owner")),
        create(responseObject=labelled(owner="x")),
        create(responseObject=labelled(waived="x")),
        wrote("create", waiver()),
        create(responseObject=labelled(waived="x"), at="2026-11-23T14:00:30"),
    ]
    found = made.evaluate(steps)
    assert [(one.line, one.severity) for one in found] == [(2, "high"), (5, "high"), (7, "info")]


def test_a_change_shortly_before_is_the_likely_way(tmp_path: Path) -> None:
    """Of a part that is there, or one that was: an exception that was just taken away."""
    made = engine(tmp_path, demand(), waiver())
    taken = wrote("delete", waiver(), at="2026-11-23T14:59:18")
    found = made.evaluate([taken, create(), create(at="2026-11-23T15:30:00")])
    assert [one.guardrail.way[:47] for one in found if one.guardrail] == [
        "DemandException has-team was deleted 42 s befor",
        "not known: nothing in the log explains it; perh",
    ]
    changed = wrote("patch", demand(label="x"), at="2026-11-23T14:59:30")
    (after,) = engine(tmp_path, demand()).evaluate([changed, create()])
    way = "Demand has-team was changed 30 s before; such a change takes effect with a delay"
    assert told([after]) == [("high", way)]


def test_the_end_of_another_policy_is_no_way(tmp_path: Path) -> None:
    """What was deleted shortly before, and had nothing to do with this one, explains nothing."""
    other = demand("other", label="owner")
    gone = wrote("delete", other, at="2026-11-23T14:59:59")
    (found,) = engine(tmp_path, demand(), other).evaluate([gone, create()])
    assert found.guardrail
    assert found.guardrail.way.startswith("not known: ")


def test_what_is_written_without_effect_changes_nothing(tmp_path: Path) -> None:
    """A status, a refusal, a dry run, another group, the same again: no new link, no new hash."""
    policy = demand()
    made = engine(tmp_path, policy)
    before = kept(made).sha256, kept(made).version
    ref = {"resource": "demands", "subresource": "status", "name": "has-team", "apiGroup": GROUP}
    noisy = {**policy, "status": {"ready": True}}
    noisy["metadata"] = {**policy["metadata"], "resourceVersion": "7", "managedFields": [{}]}
    made.evaluate(
        [
            wrote("update", demand(label="x"), objectRef=ref),
            wrote("update", demand(label="x"), responseStatus={"code": 409}),
            wrote("update", demand(label="x"), requestURI="/x?dryRun=All"),
            wrote("update", noisy),
            wrote("create", config_map("unrelated", a="b")),
        ]
    )
    assert (kept(made).sha256, kept(made).version) == before


def test_a_finalizer_keeps_a_policy_in_force(tmp_path: Path) -> None:
    """Deleted is not gone: the last finalizer's removal is the end."""
    policy = demand()
    going = {
        **policy,
        "metadata": {**policy["metadata"], "deletionTimestamp": "2026-11-23T14:00:00Z"},
    }
    held = {**going, "metadata": {**going["metadata"], "finalizers": ["x/y"]}}
    steps = [
        wrote("delete", policy, responseObject=held), create(), wrote("patch", going), create(),
    ]  # fmt: skip
    assert lines_told(engine(tmp_path, policy).evaluate(steps)) == [1]


def test_a_collection_is_deleted(tmp_path: Path) -> None:
    """The answer lists what went; one that does not leaves a doubt."""
    policies = [demand("a"), demand("b")]
    listed = {"kind": "DemandList", "apiVersion": f"{GROUP}/v1", "items": [policies[0]]}
    ref = {"resource": "demands", "apiGroup": GROUP, "apiVersion": "v1"}
    gone = wrote("deletecollection", policies[0], objectRef=ref, responseObject=listed)
    found = engine(tmp_path, *policies).evaluate([gone, create()])
    assert [one.guardrail.name for one in found if one.guardrail] == ["b"]
    blind = wrote("deletecollection", policies[0], objectRef=ref, responseObject={})
    first = engine(tmp_path, *policies).evaluate([blind])
    assert [(one.verdict, one.message) for one in first] == [
        (
            "indeterminate",
            "could not be decided: demands were deleted together, and the event does not say which",
        )
    ]


def test_what_the_log_does_not_show_stays_a_doubt(tmp_path: Path) -> None:
    """A policy that is written at level Metadata is not judged by, and silence is no pass: each
    batch says so, until the policy is seen again or goes."""
    policy = demand()
    made = engine(tmp_path, policy)
    blind = wrote("update", policy, level="Metadata", responseObject=None)
    blind = blind.replace(b'"responseObject":null,', b"")
    says = (
        "could not be decided: demands has-team was written, and the event (level Metadata) does"
        " not say what it is now"
    )
    other = create(objectRef={"resource": "services", "namespace": "prod", "apiVersion": "v1"})
    assert [one.message for one in made.evaluate([blind])] == [says]
    assert [one.message for one in made.evaluate([other])] == [says]
    found = made.evaluate([wrote("update", policy), create()])
    assert [one.verdict for one in found] == ["indeterminate", "match"]
    assert kept(made).doubts == {}


def test_a_doubt_ends_with_the_object(tmp_path: Path) -> None:
    """Made and deleted below the level that has bodies: nothing is left to doubt, nor to keep."""
    made = engine(tmp_path)
    before = kept(made).sha256
    blind: dict[str, Any] = {"level": "Metadata", "responseObject": None}
    raw = wrote("create", demand(), **blind).replace(b'"responseObject":null,', b"")
    assert [one.verdict for one in made.evaluate([raw])] == ["indeterminate"]
    assert kept(made).sha256 != before
    gone = wrote("delete", demand(), **blind).replace(b'"responseObject":null,', b"")
    made.evaluate([gone])
    assert (kept(made).doubts, kept(made).sha256) == ({}, before)


def test_a_flood_is_one_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit more of the same changes nothing, so that no batch writes the state anew."""
    monkeypatch.setattr(replay, "MAX_OBJECTS", 1)
    made = engine(tmp_path, demand())
    made.evaluate([wrote("create", demand("b"))])
    full = kept(made).sha256
    found = made.evaluate([wrote("create", demand(f"c{number}")) for number in range(50)])
    assert kept(made).sha256 == full
    assert len(found) == 1  # of this batch
    monkeypatch.setattr(replay, "MAX_DOUBTS", 3)
    other = engine(tmp_path)
    blind = [
        wrote("create", demand(f"d{number}"), responseObject={"kind": "Status"})
        for number in range(50)
    ]
    other.evaluate(blind)
    assert len(kept(other).doubts) == 4


def test_a_policy_that_can_not_be_used_is_said(tmp_path: Path) -> None:
    """It never ends the engine; the others judge on, and it is told of for as long as it stands."""
    made = engine(tmp_path, demand())
    broken = demand("broken", label=7)
    found = made.evaluate([wrote("create", broken), create()])
    assert [one.verdict for one in found] == ["indeterminate", "match"]
    assert "a policy can not be used: Demand broken: spec.label: must be text" in found[0].message
    assert [one.verdict for one in made.evaluate([create()])] == ["indeterminate", "match"]
    made.evaluate([wrote("delete", broken)])
    assert [one.verdict for one in made.evaluate([create()])] == ["match"]


def test_an_object_that_a_dialect_fails_at_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours on hostile input: said, and the rest goes on."""
    made = engine(tmp_path, demand())
    hostile = {**demand("hostile"), "spec": None}
    found = made.evaluate([wrote("create", hostile), create()])
    assert [one.verdict for one in found] == ["indeterminate", "match"]
    assert "Demand hostile can not be read: TypeError" in found[0].message


@pytest.mark.parametrize("body", [{"kind": 7}, {"kind": "Demand", "metadata": []}, [], "x"])
def test_a_strange_body_is_no_object(tmp_path: Path, body: Any) -> None:
    """Nothing is raised, and what it was before counts no longer."""
    found = engine(tmp_path, demand()).evaluate([wrote("update", demand(), responseObject=body)])
    assert [one.verdict for one in found] == ["indeterminate"]


def test_objects_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in bytes: what is beyond is left out, and said in every batch from then on."""
    monkeypatch.setattr(replay, "MAX_OBJECTS", 2)
    made = engine(tmp_path, demand())
    made.evaluate([wrote("create", demand("b")), wrote("create", demand("c"))])
    assert len(kept(made).state[0]) == 2
    assert any("Demand c and others are left out" in one for one in kept(made).doubts.values())
    monkeypatch.setattr(replay, "MAX_BYTES", 1000)
    big = demand("b", label="x" * 2000)
    made.evaluate([wrote("update", big)])
    assert [one["metadata"]["name"] for one in kept(made).state[0]] == ["has-team"]


def test_what_is_not_known_is_bounded_whatever_it_is_called(tmp_path: Path) -> None:
    """A line may hold a name of a megabyte, which must not be remembered whole."""
    made = engine(tmp_path)
    endless = demand("n" * 100_000)
    made.evaluate([wrote("create", endless), wrote("update", endless, responseObject=None)])
    assert kept(made).state[0] == []
    assert len(kept(made).changes) == 0
    assert len(kept(made).doubts) == 2
    assert sum(map(len, [*kept(made).doubts, *kept(made).doubts.values()])) < 10_000
    again = engine(tmp_path, endless)
    assert "endless name" in str(kept(again).doubts)


def test_policies_that_can_not_be_used_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event that is judged tells of all of them: so many are told, and that there are more."""
    monkeypatch.setattr(replay, "MAX_DOUBTS", 3)
    made = engine(tmp_path)
    found = made.evaluate([wrote("create", demand(f"d{i}", label=7)) for i in range(9)])
    assert "more of the policies" in found[-1].message
    assert len(made.evaluate([create()])) == len(kept(made).doubts) == 4


def test_the_state_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Restored, it has the same hash and says the same; what is seen again changes nothing."""
    steps = [
        wrote("create", demand("b", label="owner")), wrote("create", namespace("prod", env="x")),
    ]  # fmt: skip
    made = engine(tmp_path, demand())
    made.evaluate(steps)
    objects, doubts = kept(made).state
    again = engine(tmp_path, demand())
    kept(again).restore(msgspec.json.decode(msgspec.json.encode(objects)), doubts)
    assert kept(again).sha256 == kept(made).sha256 != kept(engine(tmp_path, demand())).sha256
    again.evaluate(steps)
    assert kept(again).sha256 == kept(made).sha256
    assert [one.guardrail.name for one in again.evaluate([create()]) if one.guardrail] == [
        "b", "has-team",
    ]  # fmt: skip


def test_parameters_from_before_the_first_policy_are_not_known(tmp_path: Path) -> None:
    """A kind that nobody referred to was not kept: said once, when somebody does."""
    found = engine(tmp_path).evaluate([wrote("create", demand(params="limits"))])
    assert ["ConfigMap that were written before" in one.message for one in found] == [True]


def test_a_link_costs_a_change_and_no_event(tmp_path: Path) -> None:
    """Namespaces and other people's objects never link anew."""
    tiny = Tiny()
    rules = load_rules(Rules("none", [str(written(tmp_path, demand()))], policies="from-log"))
    made = Engine(rules)
    made.guardrails.replay = Replay(rules.policies, [tiny])
    before = tiny.links
    made.evaluate([wrote("create", namespace("x")), create(), create()])
    assert tiny.links == before
    made.evaluate([wrote("create", demand("b")), wrote("update", demand("b"))])
    assert tiny.links == before + 1
