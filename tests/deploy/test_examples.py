"""The example configurations: the program takes them as they stand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper.seal.signer import generate
from tests.conftest import ROOT
from tests.deploy.manifests import BASE

ENVIRONMENTS: dict[str, dict[str, str]] = {
    "audit-shipper.yaml": {},
    "kubernetes.yaml": {"NODE_NAME": "cp-1", "AUDIT_LOG": "/var/log/kubernetes/audit/audit.log"},
    "systemd.yaml": {},
}


def check(text: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`audit-shipper check`, offline."""
    config = folder / "config.yaml"
    config.write_text(text)
    bare = {name: value for name, value in os.environ.items() if name != "HOSTNAME"}
    return subprocess.run(
        [sys.executable, "-m", "shipper", "check", "--config", str(config)],
        env=bare | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_example_is_accepted(tmp_path: Path, name: str) -> None:
    """`check` finds no fault in it, once there is a key where it says."""
    generate(tmp_path / "signing-key.pem")
    text = (ROOT / "config" / name).read_text()
    here = text.replace("/etc/audit-shipper/key", "/etc/audit-shipper")
    done = check(here.replace("/etc/audit-shipper", str(tmp_path)), tmp_path, **ENVIRONMENTS[name])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("ok: ")


def test_every_example_is_tested() -> None:
    """No file lies in config/ unchecked; the audit policy has tests of its own."""
    found = {path.name for path in (ROOT / "config").glob("*.yaml")}
    assert found == {*ENVIRONMENTS, "audit-policy.yaml"}


def test_the_systemd_example_takes_the_credential(tmp_path: Path) -> None:
    """Under the unit the key is the credential; by hand it is the file that the unit loads."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    generate(credentials / "signing-key.pem")
    text = (ROOT / "config" / "systemd.yaml").read_text()
    done = check(text, tmp_path, CREDENTIALS_DIRECTORY=str(credentials))
    assert done.returncode == 0, done.stderr


def test_the_kubernetes_example_is_the_base() -> None:
    """What is explained in config/ is what the manifests carry."""

    def page(path: Path) -> Any:
        return yaml.safe_load(path.read_text())

    assert page(ROOT / "config" / "kubernetes.yaml") == page(BASE / "config.yaml")
