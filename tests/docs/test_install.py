"""The pages on installing cannot lie: paths, flags and values are real, the ceremony works."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy import manifests

DOCS = ROOT / "docs"
CLUSTERS = ["kubeadm", "k3s", "rke2", "talos"]
CEREMONY = "/dev/shm/ceremony"  # noqa: S108 the place that the page names
PAGES = [*(f"install-{name}" for name in (*CLUSTERS, "systemd")), "kubernetes", "keys"]


def text_of(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks in that language, their indentation within a list taken away."""
    found = re.findall(
        rf"^( *)```{language}\n(.*?)^\1```$", text_of(page), re.DOTALL | re.MULTILINE
    )
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


def lines(page: str) -> Iterator[str]:
    """Each command line: of indented blocks and of shell blocks."""
    outside = re.sub(r"^ *```.*?^ *```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    shown = [line.strip() for line in outside.splitlines() if line.startswith("    ")]
    shown += [line for body in blocks(page, "sh") for line in body.splitlines()]
    return (line for line in shown if line)


def every(program: str) -> list[tuple[str, str]]:
    return [(page, line) for page in PAGES for line in lines(page) if line.startswith(program)]


# ---- commands


@pytest.mark.parametrize(("page", "line"), every("helm install"))
def test_the_chart_takes_the_values(page: str, line: str) -> None:
    """The files are there, and with the page's values the chart is accepted."""
    helm_python = pytest.importorskip("helm_python", reason="needs helm-python-sdk (x86_64 only)")
    words = shlex.split(line)
    assert (ROOT / words[3]) == manifests.CHART
    given: dict[str, Any] = {}
    for file in (words[at + 1] for at, word in enumerate(words) if word == "-f"):
        over = values_of_page() if file == "values.yaml" else (ROOT / file).read_text()
        given = manifests.merge(given, yaml.safe_load(over))
    with helm_python.Chart.load(manifests.CHART) as chart:
        chart.validate_schema(given)
    assert manifests.render(given)


def values_of_page() -> str:
    (found,) = [body for body in blocks("install-kubeadm", "yaml") if body.startswith("# values")]
    return found


def test_the_ceremony_works(tmp_path: Path) -> None:
    """Each step on keys is run as it stands; what is left is nothing."""
    if shutil.which("openssl") is None or shutil.which("shred") is None:
        pytest.skip("needs openssl and shred")
    steps = "".join(blocks("keys", "sh")).replace(CEREMONY, str(tmp_path / "ceremony"))
    program = tmp_path / "audit-shipper"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m shipper "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", "-eu", "-c", steps],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    generated, shown, fingerprint = done.stdout.splitlines()
    assert generated == shown
    assert len(generated) == 44
    assert fingerprint.endswith("signing-key.pem.pub")
    assert not (tmp_path / "ceremony").exists()


def test_the_patch_for_talos_is_the_policy(tmp_path: Path) -> None:
    """The command makes a machine configuration patch whose policy is the recommended one."""
    (command,) = blocks("install-talos", "sh")
    (tmp_path / "config").mkdir()
    shutil.copy(ROOT / "config" / "audit-policy.yaml", tmp_path / "config")
    subprocess.run(["sh", "-eu", "-c", command], cwd=tmp_path, check=True)
    patch = yaml.safe_load((tmp_path / "audit-policy.patch.yaml").read_text())
    policy = yaml.safe_load((ROOT / "config" / "audit-policy.yaml").read_text())
    assert patch == {"cluster": {"apiServer": {"auditPolicy": policy}}}


# ---- paths and flags


def audit_log(name: str) -> str:
    """Where the chart looks for a distribution's log."""
    files = ["values.yaml"] + ([] if name == "kubeadm" else [f"values-{name}.yaml"])
    pages = [yaml.safe_load((manifests.CHART / file).read_text()) for file in files]
    return str(pages[-1]["auditLog"]["path"])


@pytest.mark.parametrize("name", CLUSTERS)
def test_the_page_and_the_chart_mean_one_log(name: str) -> None:
    """The path in the page is the one that the chart's values for it have."""
    assert f"`{audit_log(name)}`" in text_of(f"install-{name}")


def flags(name: str) -> dict[str, str]:
    """The API server's flags that the page sets."""
    page = yaml.safe_load(blocks(f"install-{name}", "yaml")[0])
    if name == "kubeadm":
        return {one["name"]: one["value"] for one in page["apiServer"]["extraArgs"]}
    given = dict(one.split("=", 1) for one in page["kube-apiserver-arg"])
    return given | ({"audit-policy-file": page["audit-policy-file"]} if name == "rke2" else {})


@pytest.mark.parametrize("name", ["kubeadm", "k3s", "rke2"])
def test_the_flags_fit_the_files(name: str) -> None:
    """Policy and log are where the page puts them, and the buffer is as large as it says."""
    given = flags(name)
    assert set(given) == {
        "audit-policy-file",
        "audit-log-path",
        "audit-log-maxsize",
        "audit-log-maxbackup",
        "audit-log-maxage",
    }
    assert given["audit-log-path"] == audit_log(name)
    installed = f"install -m 0600 config/audit-policy.yaml {given['audit-policy-file']}"
    assert installed in lines(f"install-{name}")
    assert int(given["audit-log-maxsize"]) * int(given["audit-log-maxbackup"]) == 2000


def test_kubeadm_mounts_what_the_flags_name() -> None:
    """The API server's pod sees the policy's file and the log's directory."""
    page = yaml.safe_load(blocks("install-kubeadm", "yaml")[0])
    mounts = {one["mountPath"]: one for one in page["apiServer"]["extraVolumes"]}
    given = flags("kubeadm")
    assert mounts[given["audit-policy-file"]]["readOnly"] is True
    assert "readOnly" not in mounts[str(Path(given["audit-log-path"]).parent)]
    assert all(one["hostPath"] == path for path, one in mounts.items())


def test_the_example_of_an_overlay_builds(tmp_path: Path) -> None:
    """A person's own overlay: another image, another configuration, the hash of both."""
    if shutil.which("kubectl") is None:
        pytest.skip("needs kubectl, for kustomize")
    (overlay,) = blocks("kubernetes", "yaml")
    shutil.copytree(ROOT / "deploy", tmp_path / "audit-shipper" / "deploy")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text(overlay)
    (mine / "config.yaml").write_text("log: {cluster: mine}\n")
    done = subprocess.run(
        ["kubectl", "kustomize", mine], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "image: registry.example.com/audit-shipper:0.1.0" in done.stdout
    assert "log: {cluster: mine}" in done.stdout
    assert "s3://audit-archive" not in done.stdout


def test_the_installer_is_as_long_as_the_page_says() -> None:
    """It stays short enough to be read before it is run as root."""
    count = len((ROOT / "deploy" / "systemd" / "install.sh").read_text().splitlines())
    assert "[under fifty lines]" in text_of("install-systemd")
    assert count < 50
