"""Policies in rule files: which documents they are, and what is said of those that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shipper.config import RuleOverride, Rules
from shipper.rules.dialects import registry
from shipper.rules.dialects.detection import Translated
from shipper.rules.dialects.policies import PolicySet
from shipper.rules.dialects.registry import Detection
from shipper.rules.dialects.review import Review, Target
from shipper.rules.document import Document
from shipper.rules.guardrails.bypass import BYPASS
from shipper.rules.load import RulesError, load_rules
from shipper.rules.rule import AuditRule, RuleMetadata, RuleSpec
from shipper.rules.ruleset import RuleSet
from shipper.rules.terms import UNBOUND
from tests.rules.dialects.tiny import config_map, demand, namespace, waiver
from tests.rules.support import rule, written

pytestmark = pytest.mark.usefixtures("tiny")

POD = Target("CREATE", "", "v1", "pods", "", "Pod")


def loaded(directory: Path, *documents: dict[str, Any] | str, **options: Any) -> RuleSet:
    paths = [str(written(directory, *documents))]
    return load_rules(Rules(catalog="none", paths=paths, **options))


def problems(directory: Path, *documents: dict[str, Any] | str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        loaded(directory, *documents)
    return [
        str(problem).removeprefix(f"{directory}/rules.yaml:") for problem in caught.value.problems
    ]


def review(**fields: Any) -> Review:
    least = {"target": POD, "namespace": "prod", "name": "p", "identity": None}
    return Review(**{**least, "object": {"metadata": {}}, **fields})


def said(policies: PolicySet, asked: Review) -> list[tuple[str, str]]:
    return [(policy.ident.name, verdict.outcome) for policy, verdict in policies.judge(asked)]


def test_rules_and_policies_stand_in_one_file(tmp_path: Path) -> None:
    """Each document goes to its own language, whatever the order of the documents."""
    rules = loaded(tmp_path, demand(), rule("mine"), namespace("prod"))
    assert [one.name for one in rules.rules] == ["mine"]
    assert [str(one.ident) for one in rules.policies.policies] == ["Demand has-team"]


def test_a_list_is_unfolded_and_its_items_keep_their_lines(tmp_path: Path) -> None:
    """`kubectl get -o yaml` writes a List; a mistake within names the item's own line."""
    text = """\
apiVersion: v1
kind: List
items:
- apiVersion: tiny.test/v1
  kind: Demand
  metadata: {name: good}
  spec: {label: team}
- apiVersion: tiny.test/v1
  kind: Demand
  metadata: {name: bad}
  spec:
    label: 7
- kind: Pod
  metadata: {name: p}
- {}
"""
    assert problems(tmp_path, text) == [
        "12: spec.label: spec.label: must be text",
        "13: kind: Pod is no kind of rule, and no policy here needs it; known: AuditRule and"
        " AuditParams (audit-shipper/v1), and the objects of policy languages",
        "15: kind: it is required; known: AuditRule and AuditParams (audit-shipper/v1), and the"
        " objects of policy languages",
    ]
    fixed = text.replace("label: 7", "label: x").replace("- kind: Pod\n  metadata: {name: p}\n", "")
    rules = loaded(tmp_path, fixed.replace("- {}\n", ""))
    assert [one.ident.name for one in rules.policies.policies] == ["bad", "good"]


def test_objects_that_a_policy_refers_to_are_read(tmp_path: Path) -> None:
    """A ConfigMap is a parameter where a policy names one, and a mistake where none does."""
    rules = loaded(tmp_path, demand(params="limits"), config_map("limits", label="owner"))
    owned = {"metadata": {"labels": {"owner": "x"}}}
    assert said(rules.policies, review(object=owned)) == [("has-team", "pass")]
    assert said(rules.policies, review()) == [("has-team", "fail")]
    (only,) = problems(tmp_path, demand(), config_map("limits", label="owner"))
    assert "ConfigMap is no kind of rule, and no policy here needs it" in only


def test_an_object_without_a_name_or_twice_is_a_mistake(tmp_path: Path) -> None:
    """Which of two would be in force can not be said."""
    nameless = {"apiVersion": "tiny.test/v1", "kind": "Demand", "metadata": {}}
    assert problems(tmp_path, demand(), demand(), nameless) == [
        f"3: metadata: Demand has-team stands in {tmp_path}/rules.yaml:1 too",
        "5: metadata.name: is missing",
    ]


def test_the_namespace_is_the_one_in_the_files(tmp_path: Path) -> None:
    """Its name is a label of every stored Namespace; one that nobody gave is not known."""
    policies = loaded(tmp_path, demand(), namespace("prod", env="prod")).policies
    labels = {"env": "prod", "kubernetes.io/metadata.name": "prod"}
    assert policies.namespace("prod")["metadata"]["labels"] == labels
    assert policies.namespace("") is None
    assert policies.namespace("other") is UNBOUND


def test_policies_are_asked_where_they_are_concerned(tmp_path: Path) -> None:
    """Which policies a target concerns is remembered; the others are not asked."""
    policies = loaded(tmp_path, demand(), demand("secrets", resources=["secrets"])).policies
    assert said(policies, review()) == [("has-team", "fail")]
    secret = POD._replace(resource="secrets", kind="Secret")
    assert [one.ident.name for one in policies.concerned(secret)] == ["secrets"]
    assert policies.concerned(POD._replace(resource="nodes")) == ()
    assert policies.concerned(POD) is policies.concerned(POD)


def test_a_policy_that_fails_is_indeterminate(tmp_path: Path) -> None:
    """A fault in one dialect is that policy's verdict; the others are asked all the same."""
    policies = loaded(tmp_path, demand("a", raises=True), demand("b")).policies
    (broken, verdict), (_, other) = policies.judge(review())
    assert (broken.ident.name, verdict.outcome) == ("a", "indeterminate")
    assert verdict.message == "the policy failed: RuntimeError"
    assert other.outcome == "fail"


def test_the_hash_covers_policies_and_how_they_are_told(tmp_path: Path) -> None:
    """Another policy, parameter, exception, override or mode is another set; the order is not."""
    override = {"overrides": {BYPASS: RuleOverride(severity="low")}}
    hashes = [
        loaded(tmp_path).sha256,
        loaded(tmp_path, demand()).sha256,
        loaded(tmp_path, demand(label="x")).sha256,
        loaded(tmp_path, demand(), waiver()).sha256,
        loaded(tmp_path, demand(), **override).sha256,
        loaded(tmp_path, demand(), policies="from-log").sha256,
    ]
    assert len(set(hashes)) == len(hashes)
    assert loaded(tmp_path, waiver(), demand()).sha256 == hashes[3]


def test_no_catalog_and_no_paths_is_nothing(tmp_path: Path) -> None:
    """Those who have no policies have none, nor a rule about them, in their hash."""
    rules = load_rules(Rules(catalog="none"))
    assert (rules.rules, list(rules.policies.policies)) == ((), [])


def test_the_built_in_rule_is_overridden_like_any_other(tmp_path: Path) -> None:
    """Severity, mode and exceptions; a rule of that name is refused."""
    given = [{"reason": "the operator's own", "match": {"users": ["op"]}}]
    override = RuleOverride(severity="critical", mode="shadow", exceptions=given)
    told = loaded(tmp_path, demand(), overrides={BYPASS: override}).guarded.bypass
    assert told is not None
    assert (told.severity, told.mode) == ("critical", "shadow")
    assert [one.reason for one in told.exceptions] == ["the operator's own"]
    off = loaded(tmp_path, demand(), overrides={BYPASS: RuleOverride(mode="off")})
    assert off.guarded.bypass is None
    assert problems(tmp_path, rule(BYPASS)) == [
        f"1: metadata.name: {BYPASS} is the name of a built-in rule; choose another"
    ]


class _Keywords:
    """A detection language: {find: WORD}, of which each is a rule about the verb WORD."""

    def translate(self, documents: list[Document]) -> Translated:
        rules, mistakes = [], []
        for document in documents:
            word = document.value["find"]
            if not isinstance(word, str):
                mistakes.append(document.problem(("find",), "must be text"))
                continue
            spec = RuleSpec(title="Found", severity="low", when=f"event.verb == '{word}'")
            made = AuditRule("audit-shipper/v1", "AuditRule", RuleMetadata("find"), spec)
            rules.append((document, made))
        return Translated(rules, mistakes)


@pytest.fixture
def keywords(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Detection("Keywords", lambda value: "find" in value, _Keywords)  # type: ignore[arg-type]
    monkeypatch.setattr(registry, "DETECTION", (one,))


@pytest.mark.usefixtures("keywords")
def test_documents_of_a_detection_language_become_rules(tmp_path: Path) -> None:
    """They are compiled, named, overridden and located like those of a rule file."""
    rules = loaded(tmp_path, {"find": "get"}, overrides={"find": RuleOverride(severity="high")})
    assert [(one.name, one.severity, one.line) for one in rules.rules] == [("find", "high", 1)]
    assert problems(tmp_path, {"find": "get"}, {"find": 7}, rule("find")) == [
        f"1: metadata.name: the name find is taken by {tmp_path}/rules.yaml:5;"
        " choose another, or change that rule with rules.overrides",
        "3: find: must be text",
    ]
