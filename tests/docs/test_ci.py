"""docs/ci.md is run from top to bottom, and names what there is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.docs.script import missing, run, steps

PAGE = (ROOT / "docs" / "ci.md").read_text()
PACK = ROOT / "deploy" / "guardrails"
README = (PACK / "README.md").read_text()


def examples() -> list[Any]:
    """The YAML blocks of the page."""
    return [yaml.safe_load(body) for body in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def test_every_step_does_what_the_page_shows(tmp_path: Path) -> None:
    """With this repository's guardrails."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    tour = steps(PAGE)
    commands = [step.commands.replace('"$GUARDRAILS"', str(PACK)) for step in tour]
    printed = run(commands, tmp_path)
    for step, text in zip(tour, printed, strict=True):
        assert missing(step.shown, text) == [], text
    assert sum(bool(step.shown) for step in tour) == 2


def test_the_examples_fit_what_they_use() -> None:
    """Inputs of the action, variables of the job, the hook's id."""
    workflow, pipeline, hooks = examples()
    (use,) = [
        step
        for step in workflow["jobs"]["guardrails"]["steps"]
        if "audit-shipper" in step.get("uses", "")
    ]
    place = use["uses"].partition("audit-shipper/")[2].partition("@")[0]
    action = yaml.safe_load((ROOT / place / "action.yml").read_text())
    assert set(use["with"]) <= set(action["inputs"])
    job = yaml.safe_load((ROOT / pipeline["include"][0]["file"]).read_text())
    assert set(pipeline["variables"]) <= set(job["variables"])
    known = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [one["id"] for one in hooks["repos"][0]["hooks"]] == [one["id"] for one in known]


def test_every_guardrail_stands_in_the_readme() -> None:
    """With its parameters, and no other."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| (.*?) ?\|$", README, re.MULTILINE))
    files = {path.stem: path.read_text() for path in (PACK / "base" / "policies").glob("*.yaml")}
    _, parameters = yaml.safe_load_all(files.pop("parameters"))
    assert set(rows) == set(files)
    for name, text in files.items():
        used = {one for one in parameters["data"] if f"params.data.{one}" in text.replace("?", "")}
        assert set(re.findall(r"`(\w+)`", rows[name])) == used, name


def test_the_readme_s_patch_can_be_applied() -> None:
    """It goes to a place that the binding has."""
    (body,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    (patch,) = yaml.safe_load(body)["patches"]
    (change,) = yaml.safe_load(patch["patch"])
    file = PACK / "base" / "policies" / "no-host-access.yaml"
    _, binding = yaml.safe_load_all(file.read_text())
    assert (binding["kind"], binding["metadata"]["name"]) == tuple(patch["target"].values())
    place: Any = binding
    for key in change["path"].removeprefix("/").removesuffix("/-").split("/"):
        place = place[int(key) if key.isdigit() else key]
    assert "kube-system" in place
