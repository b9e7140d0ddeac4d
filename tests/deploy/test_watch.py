"""deploy/watch: what it runs is a command that works, and it may do nothing else."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from shipper.cli.main import commands
from tests.conftest import ROOT
from tests.daemon import Place
from tests.deploy import pod_security
from tests.deploy.test_systemd import MAX_EXPOSURE, tool

WATCH = ROOT / "deploy" / "watch"
UNIT = WATCH / "systemd" / "audit-watch.service"
TIMER = WATCH / "systemd" / "audit-watch.timer"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A small archive, sealed just now."""
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    place.once()
    return place


def unit_command() -> list[str]:
    """What systemd makes of ExecStart and the environment file."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNIT)
    lines = (WATCH / "systemd" / "audit-watch.env").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    environment |= {
        "STATE_DIRECTORY": "/var/lib/audit-watch",
        "RUNTIME_DIRECTORY": "/run/audit-watch",
    }
    words: list[str] = []
    for word in shlex.split(parser["Service"]["ExecStart"]):
        if word == "$OPTIONS":
            words += shlex.split(environment["OPTIONS"])
        else:
            words.append(re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], word))
    return words[1:]


def job() -> dict[str, Any]:
    (found,) = [one for one in manifests() if one["kind"] == "CronJob"]
    return dict(found)


def manifests() -> list[dict[str, Any]]:
    found = []
    for name in ("namespace.yaml", "watch.yaml"):
        found += list(yaml.safe_load_all((WATCH / "kubernetes" / name).read_text()))
    return found


def pod() -> dict[str, Any]:
    return dict(job()["spec"]["jobTemplate"]["spec"]["template"]["spec"])


def test_both_commands_work(place: Place) -> None:
    """On an archive of ours, with its key and without locks: code 0, a head file and metrics."""
    (container,) = pod()["containers"]
    replaced = {
        "s3://audit-archive/k8s": place.url,
        "/etc/audit-watch/signing-key.pem.pub": str(place.public),
        "/var/lib/audit-watch/": f"{place.root}/state/",
        "/run/audit-watch/": f"{place.root}/",
        "/etc/audit-watch/alerts.yaml": str(place.root / "alerts.yaml"),
    }
    shutil.copy(WATCH / "kubernetes" / "alerts.yaml", place.root)
    for command in (unit_command(), container["args"]):
        text = "\0".join(command)
        for ours, theirs in replaced.items():
            text = text.replace(ours, theirs)
        text = re.sub(r"--locked-until[\0=]300d\0?", "", text)
        done = CliRunner().invoke(commands, text.strip("\0").split("\0"))
        assert done.exit_code == 0, done.output
    assert (place.root / "state" / "heads.json").exists()
    assert "audit_shipper_watch_logs 1.0" in (place.root / "audit-watch.prom").read_text()


def test_the_unit_is_sealed_off(tmp_path: Path) -> None:
    """Its exposure is small, and systemd knows every key of it and of the timer."""
    threshold = f"--threshold={MAX_EXPOSURE * 10:.0f}"
    tool("systemd-analyze", "security", "--offline=true", threshold, UNIT)
    text = re.sub("ExecStart=.*", "ExecStart=/bin/true", UNIT.read_text())
    (tmp_path / UNIT.name).write_text(text)
    shutil.copy(TIMER, tmp_path)
    said = tool(
        "systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name, tmp_path / TIMER.name
    )
    assert "audit-watch" not in said


def test_rounds_come_oftener_than_silence_is_noticed() -> None:
    """A timer that is slower than --max-age would still tell, but late."""
    every = re.search(r"OnUnitInactiveSec=(\d+)min", TIMER.read_text())
    age = re.search(r"--max-age (\d+)m", (WATCH / "systemd" / "audit-watch.env").read_text())
    assert every is not None
    assert age is not None
    assert int(every[1]) <= int(age[1])


def test_the_pod_keeps_to_the_restricted_level() -> None:
    """Without exception; no token; one round at a time."""
    assert list(pod_security.broken(pod())) == []
    assert pod()["automountServiceAccountToken"] is False
    assert job()["spec"]["concurrencyPolicy"] == "Forbid"


@pytest.mark.parametrize("version", ["1.32", "1.37"])
def test_kustomize_makes_what_kubernetes_knows(tmp_path: Path, version: str) -> None:
    """Each object, strictly; the key and the receivers are in the ConfigMap that is mounted."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, for kustomize")
    validate = pytest.importorskip("kubernetes_validate").validate
    shutil.copytree(WATCH / "kubernetes", tmp_path / "k")
    (tmp_path / "k" / "signing-key.pem.pub").write_text("a key\n")
    done = subprocess.run(
        ["kubectl", "kustomize", tmp_path / "k"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    made = list(yaml.safe_load_all(done.stdout))
    for manifest in made:
        validate(manifest, version, strict=True)
    (config,) = [one for one in made if one["kind"] == "ConfigMap"]
    assert set(config["data"]) == {"alerts.yaml", "signing-key.pem.pub"}
