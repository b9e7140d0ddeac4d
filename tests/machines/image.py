"""The image, built on a base of our own and run as a cluster would: `make image-test`.

Built by buildah, as root or not; run by crun with a read-only root, as nobody, without a
capability, after every program but Python was deleted from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.daemon import Place
from tests.deploy.test_image import problems
from tests.machines.debian import debootstrap, need, on_unified_cgroups, run, wheels

USER = 65532
PATIENCE_SECONDS = 60
TAG = "localhost/audit-shipper:test"


@dataclass(frozen=True)
class Buildah:
    """buildah with a store of its own."""

    folder: Path

    def __call__(self, *arguments: str | Path) -> str:
        own: list[str | Path] = [
            "--root",
            self.folder / "storage",
            "--runroot",
            self.folder / "run",
        ]
        return run("buildah", *own, "--storage-driver", "vfs", *arguments).strip()

    def from_tar(self, tar: Path, name: str) -> None:
        """An image of one layer."""
        container = self("from", "scratch")
        self("add", "--quiet", container, tar, "/")
        self("commit", "--quiet", container, name)
        self("rm", container)


@dataclass(frozen=True)
class Image:
    """What was built: its configuration, and its files."""

    config: dict[str, Any]
    root: Path
    archive_bytes: int


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    need("buildah", "crun", "mmdebstrap")
    folder = tmp_path_factory.mktemp("image")
    buildah = Buildah(folder)
    buildah.from_tar(debootstrap(folder / "base.tar", "python3", "libstdc++6"), "localhost/base")
    buildah.from_tar(
        debootstrap(folder / "build.tar", "python3-venv", "libstdc++6"), "localhost/build"
    )
    packages = wheels(folder / "wheels")
    arguments = {
        "BASE": "localhost/base",
        "BUILD_BASE": "localhost/build",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": "/wheels",
        "REVISION": "0123456789abcdef",
    }
    given = [
        word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")
    ]
    mounted = ["--volume", f"{packages}:/wheels:ro"]
    buildah("build", "--quiet", "--isolation=chroot", *given, *mounted, "--tag", TAG, ROOT)
    buildah("push", "--quiet", TAG, f"oci-archive:{folder / 'image.tar'}")
    container = buildah("from", TAG)
    yield Image(
        config=json.loads(buildah("inspect", "--type=image", TAG))["OCIv1"]["config"],
        root=Path(buildah("mount", container)),
        archive_bytes=(folder / "image.tar").stat().st_size,
    )
    shutil.rmtree(folder, ignore_errors=True)


def test_it_says_what_it_is(image: Image) -> None:
    """Nobody's user, the program as entry point, and the labels that registries show."""
    config = image.config
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["/opt/audit-shipper/bin/audit-shipper"]
    assert config["Labels"]["org.opencontainers.image.revision"] == "0123456789abcdef"
    assert config["Labels"]["org.opencontainers.image.title"] == "audit-shipper"


def test_its_sbom_is_valid(image: Image) -> None:
    """CycloneDX, and every package that lies in the image is in it."""
    text = (image.root / "opt/audit-shipper/sbom.cdx.json").read_text()
    assert problems(text) == []
    listed = {one["name"] for one in json.loads(text)["components"]}
    site = next(image.root.glob("opt/audit-shipper/lib/python3*/site-packages"))
    folders = {path.name.partition("-")[0].replace("_", "-") for path in site.glob("*.dist-info")}
    assert {name.lower() for name in folders} == listed | {"audit-shipper"}


def test_nothing_is_left_to_write_or_to_build_with(image: Image) -> None:
    """Everything is compiled, nothing is open to all, and there is no pip."""
    app = image.root / "opt/audit-shipper"
    sources = list(app.rglob("shipper/**/*.py"))
    assert sources
    for path in sources:
        assert list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")), path
    assert not [p for p in app.rglob("*") if not p.is_symlink() and p.stat().st_mode & 0o6002]
    assert not list(app.rglob("pip"))


def test_the_lock_holds_for_arm64(tmp_path: Path) -> None:
    """Each package has a wheel with a locked hash for aarch64 too."""
    platforms = [
        f"--platform=manylinux{kind}_aarch64" for kind in ("_2_17", "2014", "_2_28", "_2_34")
    ]
    wheels(tmp_path, *platforms, "--python-version=3.13", "--implementation=cp")


def test_its_size(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    """What is ours stays below 200 MB; the figures are shown, for the documents."""
    ours = sum(p.lstat().st_size for p in (image.root / "opt/audit-shipper").rglob("*"))
    whole = sum(p.lstat().st_size for p in image.root.rglob("*") if p.is_file())
    with capsys.disabled():
        sys.stdout.write(
            f"\n{image.archive_bytes / 1e6:.0f} MB packed, {whole / 1e6:.0f} MB unpacked,"
            f" of which audit-shipper and its packages {ours / 1e6:.0f} MB\n"
        )
    assert ours < 200e6


# ---- run


class Node(Place):
    """A node with the chart's directories, modes and owners."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.log.write_bytes(b"one\n")
        self.log.chmod(0o640)
        self.log.parent.chmod(0o750)
        for path in (self.log, self.log.parent):
            os.chown(path, 0, USER)
        self.key.chmod(0o440)
        os.chown(self.key, 0, USER)
        for path in (self.spool, self.archive):
            path.mkdir(mode=0o700)
            os.chown(path, USER, USER)
        page = yaml.safe_load((ROOT / "config" / "kubernetes.yaml").read_text())
        page["store"] = {"url": "file:///archive"}
        page["batch"] = {"max_age": "100ms"}
        (root / "config.yaml").write_text(yaml.safe_dump(page))

    def mounts(self) -> list[dict[str, Any]]:
        """As the DaemonSet has them."""
        return [
            _bind(self.root / "config.yaml", "/etc/audit-shipper/config/config.yaml", "ro"),
            _bind(self.key, "/etc/audit-shipper/key/signing-key.pem", "ro"),
            _bind(self.log.parent, "/var/log/kubernetes/audit", "ro"),
            _bind(self.spool, "/var/lib/audit-shipper/spool", "rw"),
            _bind(self.archive, "/archive", "rw"),
        ]


def _bind(source: Path, target: str, mode: str) -> dict[str, Any]:
    options = ["bind", mode, "nosuid", "nodev"]
    return {"type": "bind", "source": str(source), "destination": target, "options": options}


def spec(image: Image, node: Node) -> dict[str, Any]:
    """The OCI runtime's configuration, as a kubelet would have it made."""
    environment = {"NODE_NAME": "cp-1", "AUDIT_LOG": "/var/log/kubernetes/audit/audit.log"}
    arguments = ["run", "--config=/etc/audit-shipper/config/config.yaml"]
    none: dict[str, list[str]] = {
        kind: [] for kind in ("bounding", "effective", "permitted", "inheritable", "ambient")
    }
    return {
        "ociVersion": "1.0.2",
        "root": {"path": str(image.root), "readonly": True},
        "process": {
            "user": {"uid": USER, "gid": USER, "additionalGids": [USER]},
            "args": [*image.config["Entrypoint"], *arguments],
            "env": [*image.config["Env"], *(f"{k}={v}" for k, v in environment.items())],
            "cwd": "/",
            "capabilities": none,
            "noNewPrivileges": True,
        },
        "mounts": [
            {"type": "proc", "source": "proc", "destination": "/proc"},
            {"type": "tmpfs", "source": "tmpfs", "destination": "/dev", "options": ["mode=755"]},
            *node.mounts(),
        ],
        "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]},
    }


def delete_programs(root: Path) -> None:
    """Leave no shell, no coreutils, nothing but Python."""
    for path in [*(root / "usr/bin").iterdir(), *(root / "usr/sbin").iterdir()]:
        if not path.name.startswith("python3"):
            path.unlink()


@contextlib.contextmanager
def container(bundle: Path, given: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    (bundle / "config.json").write_text(json.dumps(given))
    crun = ["crun", f"--root={bundle / 'crun'}", "--cgroup-manager=disabled"]
    with (bundle / "said").open("wb") as said:
        command = [*on_unified_cgroups(), *crun, "run", f"--bundle={bundle}", "audit-shipper-test"]
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        yield process
    finally:
        if process.poll() is None:
            delete = [*on_unified_cgroups(), *crun, "delete", "--force", "audit-shipper-test"]
            subprocess.run(delete, check=False)
            process.wait(30)


def wait_for(done: Callable[[], bool], said: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def test_it_runs_with_nothing(image: Image, tmp_path: Path) -> None:
    """Read-only root, nobody's user, no capability, no shell: it follows, seals, ships, and stops
    cleanly on SIGTERM; the proof holds."""
    if os.geteuid() != 0:
        pytest.skip("needs root: gives files the owners that a kubelet gives them")
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    node = Node(tmp_path)
    delete_programs(image.root)
    with container(tmp_path, spec(image, node)) as process:
        said = tmp_path / "said"
        wait_for(lambda: node.archived() == b"one\n", said)
        with node.log.open("ab") as log:
            log.write(b"two\n")
        wait_for(lambda: node.archived() == b"one\ntwo\n", said)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, said.read_text()
    assert node.verify("--max-age", "5m") == 0
    assert '"level": "warning"' not in said.read_text()
