"""A Debian of our own, made from Debian's packages, and the Python packages of the lock files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

SUITE = "bookworm"
MINUTES = 60.0
LOCKS = ["requirements.lock", "requirements-build.lock"]


def need(*tools: str) -> None:
    """Skip with the name of what is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


def run(*command: str | Path, seconds: float = 10 * MINUTES) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=seconds, cwd=ROOT
    )
    assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


def debootstrap(target: Path, *packages: str) -> Path:
    """The essential packages and these, as a tar file."""
    need("mmdebstrap")
    run(
        "mmdebstrap",
        "--quiet",
        "--variant=essential",
        f"--include={','.join(packages)}",
        SUITE,
        target,
    )
    return target


def wheels(folder: Path, *options: str) -> Path:
    """Every package of the lock files, as a wheel with one of its locked hashes."""
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"]
    for lock in LOCKS:
        run(*download, "--only-binary=:all:", *options, "--dest", folder, "-r", ROOT / lock)
    return folder


def on_unified_cgroups() -> list[str]:
    """What to put before a command that needs cgroups version 2, on a machine that has both.

    The command sees a mount of its own; the machine's mounts stay.
    """
    if Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return []
    script = 'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$0" "$@"'
    return ["unshare", "--mount", "--propagation=private", "sh", "-c", script]
