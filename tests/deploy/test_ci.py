"""What `deploy/ci` gives to CI systems: it can be read by them, and its commands do what they say.

The steps are run as a runner would run them, but for the installation, which the image's test does.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
import yaml
from click.testing import CliRunner

from shipper.cli.main import commands
from tests.conftest import ROOT

ACTION = ROOT / "deploy" / "ci" / "github" / "action.yml"
GITLAB = ROOT / "deploy" / "ci" / "gitlab.yml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"

RULE = {
    "apiVersion": "audit-shipper/v1",
    "kind": "AuditRule",
    "metadata": {"name": "no-secrets"},
    "spec": {"title": "No", "severity": "high", "when": 'object.kind == "Secret"'},
}


class Done(NamedTuple):
    code: int
    out: str
    directory: Path


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A rule, a directory that passes, one that does not, one with a mistake; a marker of code."""
    files: dict[str, Any] = {
        "rules/a.yaml": RULE,
        "good/a.yaml": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
        "bad/a.yaml": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}},
        "broken/a.yaml": {"apiVersion": "v1", "kind": "Secret", "metadata": {}},
    }
    for name, document in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(document))
    return tmp_path


def run(directory: Path, shell: list[str], script: str, **variables: str) -> Done:
    """The script, with the program on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [*shell, script],
        cwd=directory,
        env={"PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Done(done.returncode, done.stdout + done.stderr, directory)


# ---- GitHub


def step(name: str) -> dict[str, Any]:
    (found,) = [one for one in loaded(ACTION)["runs"]["steps"] if one["name"] == name]
    return dict(found)


def act(directory: Path, **inputs: str) -> Done:
    """As the runner does it: inputs by their defaults, `bash -e -o pipefail`."""
    action = loaded(ACTION)
    given = {name: one["default"] for name, one in action["inputs"].items()} | inputs
    judging = step("Judge the manifests")
    variables = {
        name: given[value.removeprefix("${{ inputs.").removesuffix(" }}")]
        for name, value in judging["env"].items()
    }
    bash = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]
    return run(directory, bash, judging["run"], **variables)


def test_the_action_judges(repository: Path) -> None:
    """A pass, a deny, a mistake: the program's exit codes, and a SARIF file for the first two."""
    for manifests, code in (("good", 0), ("good bad", 1), ("good\nbad\n", 1), ("broken", 2)):
        sarif = repository / "out.sarif"
        sarif.unlink(missing_ok=True)
        done = act(repository, manifests=manifests, rules="rules", sarif="out.sarif")
        assert done.code == code, done.out
        assert sarif.exists() == (code < 2)
        if code < 2:
            (found,) = json.loads(sarif.read_text())["runs"]
            assert len(found["results"]) == code


def test_inputs_are_no_code(repository: Path) -> None:
    """Neither commands nor patterns in them are carried out, nor commands in names of files."""
    (repository / "::error::x.yaml").write_text((repository / "bad" / "a.yaml").read_text())
    done = act(repository, manifests="good/* $(touch${IFS}owned) ;touch owned", rules="rules")
    assert done.code == 2
    assert not (repository / "owned").exists()
    done = act(repository, manifests="./::error::x.yaml", rules="rules")
    lines = done.out.splitlines()
    token = lines[0].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert f"::{token}::" in lines[1:]
    text = ACTION.read_text()
    assert "${{" not in "".join(one["run"] for one in loaded(ACTION)["runs"]["steps"]), text


def test_the_action_installs_what_was_tested() -> None:
    """From the action's own revision, locked; the script is one that bash takes."""
    install = step("Install audit-shipper")
    source = install["env"]["SOURCE"].replace("${{ github.action_path }}", str(ACTION.parent))
    assert Path(source).resolve() == ROOT
    for lock in ("requirements-build.lock", "requirements.lock"):
        assert f'"$SOURCE/{lock}"' in install["run"]
        assert (ROOT / lock).exists()
    done = run(ROOT, ["bash", "-n", "-c"], install["run"])
    assert (done.code, done.out) == (0, "")


# ---- GitLab


def pipeline(directory: Path, **variables: str) -> Done:
    """The job's script, as the runner runs it: `sh -e`."""
    page = loaded(GITLAB)
    given = {name: str(value) for name, value in page["variables"].items()} | variables
    (script,) = page["guardrails"]["script"]
    return run(directory, ["sh", "-e", "-c"], script, **given)


def test_the_job_judges(repository: Path) -> None:
    """The program's exit codes, and a report with a failed test where something is denied."""
    for manifests, code in (("good", 0), ("good bad", 1), ("broken", 2)):
        report = repository / loaded(GITLAB)["guardrails"]["artifacts"]["reports"]["junit"]
        report.unlink(missing_ok=True)
        done = pipeline(repository, GUARDRAILS_MANIFESTS=manifests, GUARDRAILS_RULES="rules")
        assert done.code == code, done.out
        assert report.exists() == (code < 2)
        if code < 2:
            assert len(ElementTree.parse(report).findall(".//failure")) == code


# ---- pre-commit


def test_the_hook_judges(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry with a user's arguments and the files' names behind, as pre-commit calls it."""
    (hook,) = loaded(HOOKS)
    program, *words = shlex.split(hook["entry"])
    assert program == "audit-shipper"
    assert (hook["language"], hook["types_or"]) == ("python", ["yaml", "json"])
    monkeypatch.chdir(repository)
    for file, code in (("good/a.yaml", 0), ("bad/a.yaml", 1)):
        done = CliRunner().invoke(commands, [*words, "--rules", "rules", file])
        assert done.exit_code == code, done.output
