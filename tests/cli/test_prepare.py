"""`prepare`: afterwards a daemon that is not root reads the log and writes its spool."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.daemon import Place

USER, GROUP = 65532, 65533
ROTATED = "audit-2026-01-02T00-00-00.000.log"
CAP_CHOWN_ALONE = ["setpriv", "--bounding-set=-all,+chown", "--inh-caps=-all"]
"""Root as the init container has it."""


@pytest.fixture
def place() -> Iterator[Place]:
    """A node whose audit log has the API server's own modes, below a directory open to all."""
    if os.geteuid() != 0:
        pytest.skip("needs root: gives files to other users")
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv (util-linux)")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        place = Place(Path(folder))
        place.log.write_bytes(b"two\n")
        (place.log.parent / ROTATED).write_bytes(b"one\n")
        for path in (place.log, place.log.parent / ROTATED):
            path.chmod(0o600)
        place.log.parent.chmod(0o700)
        yield place


def prepare(place: Place, *options: str) -> subprocess.CompletedProcess[str]:
    """As the init container does it."""
    config = place.root / "config.yaml"
    config.write_text(place.yaml())
    command = [sys.executable, "-m", "shipper", "prepare", "--config", str(config), *options]
    return subprocess.run(
        [*CAP_CHOWN_ALONE, *command], capture_output=True, text=True, check=False, timeout=30
    )


def modes(*paths: Path) -> list[tuple[int, int, int]]:
    found = [path.stat() for path in paths]
    return [(status.st_uid, status.st_gid, status.st_mode & 0o777) for status in found]


def give(place: Place) -> subprocess.CompletedProcess[str]:
    return prepare(place, "--user", str(USER), "--group", str(GROUP))


def test_the_log_is_given_to_the_group_and_the_spool_to_the_user(place: Place) -> None:
    """Owner and the rights of others stay; the group may enter and read, live and rotated files."""
    done = give(place)
    assert done.returncode == 0, done.stderr
    rotated = place.log.parent / ROTATED
    assert modes(place.log.parent) == [(0, GROUP, 0o750)]
    assert modes(place.log, rotated) == [(0, GROUP, 0o640)] * 2
    assert modes(place.spool) == [(USER, USER, 0o700)]


def test_it_may_be_repeated(place: Place) -> None:
    """Each restart of a pod does it again, over a spool that is closed to root by then."""
    give(place)
    done = give(place)
    assert done.returncode == 0, done.stderr


def test_then_a_daemon_without_rights_archives_the_log(place: Place) -> None:
    """What is given is enough, and no more is needed."""
    other = Place(place.root / "other")
    other.log.write_bytes(b"other\n")
    other.once()  # what is imported late may lie where only root reads
    give(place)
    place.archive.mkdir()
    for path in (place.key, place.archive):
        os.chown(path, USER, USER)
    before = os.getgroups()
    os.setgroups([GROUP])
    os.setegid(USER)
    os.seteuid(USER)
    try:
        assert place.once() == 0
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)
    assert place.archived() == b"one\ntwo\n"


def test_the_spool_of_a_root_daemon_changes_hands(place: Place) -> None:
    """Who ran as root first can go on as somebody else."""
    place.once()
    (place.spool / "alerts").mkdir(mode=0o700)
    (place.spool / "alerts" / "one").write_text("waits")
    assert give(place).returncode == 0
    files = list(place.spool.rglob("*"))
    assert len(files) > 2
    assert {path.stat().st_uid for path in files} == {USER}


def test_without_a_log_it_says_so(place: Place) -> None:
    """The init container is tried again until the API server has written its first line."""
    place.log.unlink()
    done = give(place)
    assert done.returncode == 3
    assert f"error: there is no audit log at {place.log} yet" in done.stderr


def test_a_link_in_the_place_of_a_rotated_file_is_not_followed(place: Place) -> None:
    """Nobody gets another file opened to the group by a name beside the log."""
    secret = place.root / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    (place.log.parent / ROTATED).unlink()
    (place.log.parent / ROTATED).symlink_to(secret)
    assert give(place).returncode == 0
    assert modes(secret) == [(0, 0, 0o600)]


def test_without_root_it_says_what_to_do(place: Place) -> None:
    """One line, exit 2."""
    os.chown(place.log.parent, USER, USER)
    done = give(place)
    assert done.returncode == 2
    assert "run it as root" in done.stderr
