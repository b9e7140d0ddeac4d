"""deploy/systemd: the unit is sealed off, its times fit the program's, and the group reads the log.

`make systemd-test` boots a machine and runs it; here its files are read by systemd's own tools.
"""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from shipper import config
from shipper.backoff import MAX_DELAY_SECONDS
from tests.conftest import ROOT

SYSTEMD = ROOT / "deploy" / "systemd"
UNIT = SYSTEMD / "audit-shipper.service"
MAX_EXPOSURE = 1.5
SECONDS = {"min": 60, "s": 1}


def tool(name: str, *arguments: str | Path, needs: str = "systemd") -> str:
    """What one of systemd's tools says; it must succeed."""
    if shutil.which(name) is None:
        pytest.skip(f"needs {name} ({needs})")
    done = subprocess.run(
        [name, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def service() -> dict[str, str]:
    """The [Service] section; of a key that stands twice the last."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(UNIT)
    return dict(parser["Service"])


def seconds(text: str) -> float:
    number = text.rstrip("smin")
    return float(number) * SECONDS[text[len(number) :]]


def test_its_exposure_is_small() -> None:
    """`systemd-analyze security` gives at most 1.5 of 10."""
    tool(
        "systemd-analyze",
        "security",
        "--offline=true",
        f"--threshold={MAX_EXPOSURE * 10:.0f}",
        UNIT,
    )


def test_systemd_knows_every_key(tmp_path: Path) -> None:
    """No key is unknown or in the wrong section, no value is refused."""
    text = UNIT.read_text().replace(service()["ExecStart"], "/bin/true")
    (tmp_path / UNIT.name).write_text(text)
    assert UNIT.name not in tool("systemd-analyze", "verify", "--man=no", tmp_path / UNIT.name)


def test_the_service_manager_is_told() -> None:
    """Type=notify, by the daemon itself; a core file would hold the key."""
    given = service()
    assert given["Type"] == "notify"
    assert given["NotifyAccess"] == "main"
    assert given["LimitCORE"] == "0"


def test_the_times_fit_the_program() -> None:
    """The stop outlasts the drain; half the watchdog's time outlasts the longest pause of the
    collect loop."""
    given = service()
    text = (ROOT / "config" / "systemd.yaml").read_text()
    loaded = config.parse(text, {})
    assert seconds(given["TimeoutStopSec"]) > loaded.shutdown.drain + 10
    assert seconds(given["WatchdogSec"]) / 2 > MAX_DELAY_SECONDS


def test_unit_and_configuration_mean_the_same_files() -> None:
    """The credential is the key that the configuration names, the state directory its spool."""
    given = service()
    environment = {"CREDENTIALS_DIRECTORY": "/run/credentials/audit-shipper.service"}
    loaded = config.parse((ROOT / "config" / "systemd.yaml").read_text(), environment)
    name, _, source = given["LoadCredential"].partition(":")
    assert loaded.seal.key_file == f"{environment['CREDENTIALS_DIRECTORY']}/{name}"
    assert config.parse((ROOT / "config" / "systemd.yaml").read_text(), {}).seal.key_file == source
    assert Path(loaded.spool.path).parent == Path("/var/lib") / given["StateDirectory"]
    assert loaded.source.path in (SYSTEMD / "tmpfiles.conf").read_text()


def root(folder: Path) -> Path:
    """An empty machine with this machine's root user."""
    (folder / "etc").mkdir()
    (folder / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc" / "group").write_text("root:x:0:\n")
    return folder


def test_the_group_may_read_the_log(tmp_path: Path) -> None:
    """The user is made and is in the group; the log is given to it, and keeps what is in it."""
    if os.geteuid() != 0:
        pytest.skip("needs root: makes users and gives files to a group, below a directory")
    machine = root(tmp_path)
    log = machine / "var/log/kubernetes/audit/audit.log"
    log.parent.mkdir(parents=True, mode=0o700)
    log.write_bytes(b"one\n")
    log.chmod(0o600)
    tool("systemd-sysusers", f"--root={machine}", SYSTEMD / "sysusers.conf")
    tool("systemd-tmpfiles", f"--root={machine}", "--create", SYSTEMD / "tmpfiles.conf")
    lines = [line.split(":") for line in (machine / "etc/group").read_text().splitlines()]
    groups = {name: (int(number), members) for name, _, number, members in lines}
    group, members = groups["audit-log"]
    assert members == "audit-shipper"
    assert (log.stat().st_uid, log.stat().st_gid, log.stat().st_mode & 0o777) == (0, group, 0o640)
    beside = log.parent.stat()
    assert (beside.st_uid, beside.st_gid, beside.st_mode & 0o777) == (0, group, 0o750)
    assert log.read_bytes() == b"one\n"


def test_the_installer_is_a_plain_script() -> None:
    """It parses, shellcheck has no remark, and a person reads it in a minute."""
    script = SYSTEMD / "install.sh"
    tool("sh", "-n", script)
    assert len(script.read_text().splitlines()) < 60
    assert os.access(script, os.X_OK)
    tool("shellcheck", script, needs="shellcheck")
