"""The systemd service, installed by install.sh and run on a booted machine: `make systemd-test`.

The machine is a container (systemd-nspawn) with a Debian of our own and no network.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.daemon import Place
from tests.deploy.test_systemd import MAX_EXPOSURE
from tests.machines.debian import debootstrap, need, on_unified_cgroups, run, wheels

TREE = ["shipper", "deploy", "config", "pyproject.toml", "README.md", "requirements.lock"]
PATIENCE_SECONDS = 60
LOG = Path("var/log/kubernetes/audit/audit.log")
ARCHIVE = Path("srv/archive")
CONFIG = """
log: {cluster: c1, node: n1}
source: {path: /var/log/kubernetes/audit/audit.log}
seal: {key_file: "${CREDENTIALS_DIRECTORY:-/etc/audit-shipper}/signing-key.pem"}
store: {url: "file:///srv/archive"}
batch: {max_age: 200ms, heartbeat: 1s}
"""
DROP_IN = """
[Service]
ReadWritePaths=/srv/archive
WatchdogSec=4s
TimeoutAbortSec=2s
"""
"""What a directory store needs, and a watchdog for impatient people."""


@dataclass(frozen=True)
class Machine:
    """A booted machine: its files, and the process id of its init."""

    root: Path
    init: str

    def __call__(self, *command: str) -> str:
        """What a command on it prints; it must succeed."""
        return run("nsenter", f"--target={self.init}", "--all", *command).strip()

    def journal(self) -> str:
        """The service's last lines."""
        return self("/bin/journalctl", "--no-pager", "--unit=audit-shipper", "--lines=30")

    def start(self) -> None:
        """Start the service; if it does not, its log says why."""
        try:
            self("/bin/systemctl", "enable", "--now", "audit-shipper")
        except AssertionError as error:
            raise AssertionError(self.journal()) from error

    def append(self, line: bytes) -> None:
        """As the API server does."""
        with (self.root / LOG).open("ab") as log:
            log.write(line)

    def property(self, name: str) -> str:
        return self("/bin/systemctl", "show", "--value", f"--property={name}", "audit-shipper")

    def wait_for(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not done():
            assert time.monotonic() < deadline, self("/bin/journalctl", "--no-pager", "--lines=60")
            time.sleep(0.2)


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    need("systemd-nspawn", "mmdebstrap", "nsenter", "unshare")
    if os.geteuid() != 0:
        pytest.skip("needs root: boots a container")
    folder = tmp_path_factory.mktemp("machine")
    root = folder / "root"
    root.mkdir()
    packages = ["systemd-sysv", "dbus", "python3-venv", "libstdc++6"]
    run("tar", "-xf", debootstrap(folder / "machine.tar", *packages), "-C", root)
    wheels(root / "wheels")
    for name in [*TREE, "requirements-build.lock"]:
        run("cp", "-a", ROOT / name, root / "root")
    boot = ["systemd-nspawn", f"--directory={root}", "--register=no", "--keep-unit", "--boot"]
    with (folder / "console").open("wb") as console:
        process = subprocess.Popen(
            [*on_unified_cgroups(), *boot, "--private-network", "--console=pipe"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
    try:
        yield booted(root, process.pid)
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def booted(root: Path, nspawn: int) -> Machine:
    """The machine, once its init has started everything."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        time.sleep(0.5)
        init = subprocess.run(
            ["pgrep", "--parent", str(nspawn)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if not init:
            continue
        state = subprocess.run(
            ["nsenter", f"--target={init}", "--all", "/bin/systemctl", "is-system-running"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        if state in ("running", "degraded"):
            return Machine(root, init)
    pytest.skip("this machine boots no container")


@pytest.fixture(scope="session")
def installed(machine: Machine) -> Machine:
    """The script has run, twice; the configuration is a test's."""
    wheelhouse = ["PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels"]
    began = time.monotonic()
    machine("/usr/bin/env", *wheelhouse, "/root/deploy/systemd/install.sh")
    assert time.monotonic() - began < 5 * PATIENCE_SECONDS
    key = (machine.root / "etc/audit-shipper/signing-key.pem").read_bytes()
    machine("/usr/bin/env", *wheelhouse, "/root/deploy/systemd/install.sh")
    assert (machine.root / "etc/audit-shipper/signing-key.pem").read_bytes() == key
    (machine.root / "etc/audit-shipper/config.yaml").write_text(CONFIG)
    drop_in = machine.root / "etc/systemd/system/audit-shipper.service.d/test.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(DROP_IN)
    machine("/usr/bin/install", "-d", "-o", "audit-shipper", "-m", "0700", f"/{ARCHIVE}")
    machine("/bin/systemctl", "daemon-reload")
    return machine


@pytest.fixture
def place(installed: Machine, tmp_path: Path) -> Place:
    """The machine's archive and key, as an auditor sees them."""
    place = Place(tmp_path)
    place.archive = installed.root / ARCHIVE
    place.key = installed.root / "etc/audit-shipper/signing-key.pem"
    place.key.with_name("key.pem.pub").write_bytes(
        (installed.root / "etc/audit-shipper/signing-key.pem.pub").read_bytes()
    )
    return place


def test_check_is_content(installed: Machine) -> None:
    """By hand, as root, before the first start: configuration, key and log are in order."""
    said = installed("/usr/local/bin/audit-shipper", "check")
    assert "/var/log/kubernetes/audit/audit.log can be read" in said


def test_it_starts_seals_and_stops(installed: Machine, place: Place) -> None:
    """`start` returns once it is ready; the log is read through the group, the key taken from the
    credential, all under the unit's restrictions; `stop` ends it well."""
    installed.append(b"one\n")
    installed.start()
    assert installed.property("ActiveState") == "active"
    assert installed.property("StatusText").startswith("sealed ")
    installed.append(b"two\n")
    installed.wait_for(lambda: place.archived() == b"one\ntwo\n")
    installed("/bin/systemctl", "reload", "audit-shipper")
    installed.wait_for(lambda: '"reloaded"' in installed.journal())
    log = (installed.root / LOG).stat()
    assert log.st_mode & 0o777 == 0o640
    assert log.st_uid == 0
    installed("/bin/systemctl", "stop", "audit-shipper")
    assert installed.property("Result") == "success"
    assert installed.property("ExecMainStatus") == "0"
    assert place.verify("--max-age", "5m") == 0


def test_its_exposure_is_small(installed: Machine) -> None:
    """As the running manager sees it, drop-ins included."""
    threshold = f"--threshold={MAX_EXPOSURE * 10:.0f}"
    installed("/usr/bin/systemd-analyze", "security", threshold, "audit-shipper")


def test_a_hung_daemon_is_started_anew(installed: Machine, place: Place) -> None:
    """The watchdog starves, the daemon is killed without a core file and comes back; nothing is
    lost and nothing is doubled."""
    installed.start()
    installed("/bin/systemctl", "kill", "--signal=STOP", "audit-shipper")
    installed.append(b"three\n")
    installed.wait_for(lambda: installed.property("NRestarts") == "1")
    installed.wait_for(lambda: place.archived() == b"one\ntwo\nthree\n")
    installed("/bin/systemctl", "stop", "audit-shipper")
    assert "watchdog" in installed.journal().lower()
    assert not list(installed.root.rglob("core*.audit-shipper*"))
    assert place.verify() == 0


def test_a_mistake_is_not_tried_for_ever(installed: Machine) -> None:
    """A wrong configuration fails the start with its one line, and stays failed."""
    path = installed.root / "etc/audit-shipper/config.yaml"
    path.write_text(CONFIG + "batchh: {}\n")
    try:
        with pytest.raises(AssertionError, match=r"did you mean batch\?"):
            installed.start()
        assert installed.property("ActiveState") == "failed"
    finally:
        path.write_text(CONFIG)


def variation(title: str, language: str) -> str:
    """The block below that heading of docs/install-systemd.md."""
    below = (ROOT / "docs" / "install-systemd.md").read_text().split(f"### {title}\n")[1]
    return below.split(f"```{language}\n")[1].split("```")[0]


@pytest.fixture
def varied(installed: Machine) -> Iterator[Callable[[str, str], None]]:
    """Starts the service on another log with another drop-in, with a spool of its own."""
    unit = installed.root / "etc/systemd/system/audit-shipper.service.d"
    path = installed.root / "etc/audit-shipper/config.yaml"

    def start(log: str, drop_in: str) -> None:
        (unit / "varied.conf").write_text(drop_in)
        spool = f"spool: {{path: /var/lib/audit-shipper/{Path(log).parts[3]}}}\n"
        path.write_text(CONFIG.replace(f"/{LOG}", log).replace("node: n1", "node: n2") + spool)
        installed("/bin/systemctl", "daemon-reload")
        installed.start()

    yield start
    installed("/bin/systemctl", "stop", "audit-shipper")
    (unit / "varied.conf").unlink()
    path.write_text(CONFIG)
    installed("/bin/systemctl", "daemon-reload")


def private_log(machine: Machine, path: str) -> Path:
    """A log as the API server leaves it, in a place that is root's alone."""
    log = machine.root / path.removeprefix("/")
    log.parent.mkdir(parents=True)
    for folder in (log.parent, log.parent.parent):
        folder.chmod(0o700)
    log.write_bytes(f"{path}\n".encode())
    log.chmod(0o600)
    return log


def test_another_path(installed: Machine, place: Place, varied: Callable[[str, str], None]) -> None:
    """The page's lines for tmpfiles.d let the group in to k3s' own place, and to nothing else."""
    path = "/var/lib/rancher/k3s/server/logs/audit.log"
    private_log(installed, path)
    (installed.root / "etc/tmpfiles.d/audit-shipper.conf").write_text(variation("Another path", ""))
    installed("/usr/bin/systemd-tmpfiles", "--create", "audit-shipper.conf")
    varied(path, "")
    installed.wait_for(lambda: place.archived().endswith(f"{path}\n".encode()))
    (installed.root / "etc/tmpfiles.d/audit-shipper.conf").unlink()


def test_the_capability(
    installed: Machine, place: Place, varied: Callable[[str, str], None]
) -> None:
    """With the page's drop-in it reads what is root's alone."""
    path = "/srv/private/logs/audit.log"
    private_log(installed, path)
    varied(path, variation("Where no group may be let in", "ini"))
    installed.wait_for(lambda: place.archived().endswith(f"{path}\n".encode()))
