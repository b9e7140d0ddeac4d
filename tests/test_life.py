"""The daemon as a process of its own: it starts, waits, follows, drains and dies."""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shipper.errors import SourceError
from tests.daemon import Place
from tests.process import AUDIT_SHIPPER, QUICK, append, running


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(place: Place, number: int) -> None:
    """SIGTERM and SIGINT seal what was read and a shutdown, ship it, and exit 0."""
    with running(place, batch={"max_age": "1h"}) as daemon:
        daemon.wait_for_event("started")
        append(place, b"one\ntwo\n")
        time.sleep(0.3)
        assert daemon.end(number) == 0
    assert place.archived() == b"one\ntwo\n"
    assert place.verify() == 0


def test_a_directory_that_comes_later_is_waited_for(place: Place) -> None:
    """The daemon starts before the API server has made its directory."""
    place.log.parent.rmdir()
    with running(place) as daemon:
        daemon.wait_for_event("started")
        time.sleep(0.3)
        place.log.parent.mkdir()
        append(place, b"one\n")
        daemon.wait_for(lambda: place.archived() == b"one\n", "the line")
        assert daemon.end() == 0


def test_an_idle_daemon_is_woken(place: Place) -> None:
    """After seconds of silence a line is sealed within its `max_age` and a moment."""
    append(place, b"first\n")
    with running(place) as daemon:
        daemon.wait_for(lambda: place.archived() == b"first\n", "the first line")
        time.sleep(2)
        append(place, b"second\n")
        written = time.monotonic()
        daemon.wait_for(lambda: place.archived() == b"first\nsecond\n", "the second line")
        assert time.monotonic() - written < 5  # the slow poll would do; inotify is far quicker
        assert daemon.end() == 0


def test_silence_is_sealed(place: Place) -> None:
    """Heartbeats follow each other while nothing is written."""
    with running(place) as daemon:

        def heartbeats() -> int:
            manifests = place.archive.glob("*/*/*/manifest/*")
            return sum(b'"kind":"heartbeat"' in path.read_bytes() for path in manifests)

        daemon.wait_for(lambda: heartbeats() >= 2, "two heartbeats")
        assert daemon.end() == 0
    assert place.verify("--max-age", "1m") == 0


def test_a_store_that_comes_back(place: Place) -> None:
    """While the store is down sealing goes on; once it is back everything is shipped."""
    place.archive.write_text("in the way")
    with running(place) as daemon:
        append(place, b"one\n")
        daemon.wait_for_event("store_failed")
        append(place, b"two\n")
        time.sleep(0.5)
        assert len(list(place.spool.glob("*.sealed"))) >= 2
        place.archive.unlink()
        daemon.wait_for(lambda: place.archived() == b"one\ntwo\n", "the lines")
        daemon.wait_for_event("store_recovered")
        assert daemon.end() == 0
    assert place.verify() == 0


def test_a_second_signal_leaves_at_once(place: Place) -> None:
    """With the store down the drain is cut short by a second signal; nothing is lost."""
    place.archive.write_text("in the way")
    with running(place, shutdown={"drain": "1h"}) as daemon:
        append(place, b"one\n")
        daemon.wait_for(lambda: len(list(place.spool.glob("*.sealed"))) >= 2, "the batch")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_for_event("stopping")
        assert daemon.end() == 3
    place.archive.unlink()
    assert place.once() == 0
    assert place.archived() == b"one\n"
    assert place.verify() == 0


def test_a_second_daemon_is_refused(place: Place) -> None:
    """Two daemons on one spool: the second says so in one line and exits 3."""
    with running(place) as daemon:
        daemon.wait_for_event("started")
        second = subprocess.run(
            [*AUDIT_SHIPPER, "run", "--config", str(daemon.config)],
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert second.returncode == 3
        assert second.stderr.startswith("error: another audit-shipper has the spool")
        assert "Traceback" not in second.stderr
        assert daemon.end() == 0


def test_a_terminal_shows_one_live_line(place: Place) -> None:
    """On a terminal: rate, sealed, shipped, head and lag; at the end the verify command, exact."""
    append(place, b"one\ntwo\n")
    config = place.root / "config.yaml"
    config.write_text(place.yaml(batch=QUICK, logging={"format": "console", "level": "warning"}))
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [*AUDIT_SHIPPER, "run", "--config", str(config)], stderr=child, stdout=subprocess.PIPE
    )
    os.close(child)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=30)
    shown = os.read(parent, 100_000).decode()
    os.close(parent)
    assert process.returncode == 0
    for word in ("events/s", "sealed", "shipped", "head", "lag"):
        assert word in shown
    command = stdout.decode().splitlines()[-1].split()
    assert command[1:] == ["verify", place.url, "--key", str(place.public)]


def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a small file system, or changes users")


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[None]:
    """A real ext4 of 8 MiB on a loop device."""
    image = path.with_name("image")
    path.mkdir()
    with image.open("wb") as file:
        file.truncate(8 * 2**20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, path], check=False)
    if mounted.returncode:
        pytest.skip("this machine cannot mount a loop device")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def noise(lines: int) -> bytes:
    """Lines that do not compress away."""
    return b"".join(os.urandom(3000).hex().encode() + b"\n" for _ in range(lines))


def test_a_full_disk_loses_nothing(place: Place) -> None:
    """With the spool's disk full reading waits; when there is room it goes on, and says so."""
    needs_root()
    with small_disk(place.root / "small"):
        place.spool = place.root / "small" / "spool"
        place.archive.write_text("in the way, so that the spool fills up")
        with running(place) as daemon:
            written = b""
            while "spool_write_failed" not in daemon.events():
                piece = noise(100)
                append(place, piece)
                written += piece
                time.sleep(0.15)
                assert len(written) < 100_000_000
            place.archive.unlink()
            append(place, b"after\n")
            daemon.wait_for(lambda: place.archived() == written + b"after\n", "everything")
            assert daemon.end() == 0
        notices = place.archive.glob("*/*/*/manifest/*")
        assert any(b"spool-full" in path.read_bytes() for path in notices)
        assert place.verify() == 0


@pytest.mark.parametrize("victim", ["spool", "archive"])
def test_a_directory_made_read_only_midway(place: Place, victim: str) -> None:
    """A spool or archive that turns read-only is retried until it is writable again."""
    needs_root()
    with small_disk(place.root / "small"):
        setattr(place, victim, place.root / "small" / victim)
        with running(place) as daemon:
            append(place, b"one\n")
            daemon.wait_for(lambda: place.archived() == b"one\n", "the first line")
            remount = ["mount", "-o", "remount,ro", str(place.root / "small")]
            # Refused while a file is open for writing, as it is now and then.
            daemon.wait_for(lambda: subprocess.run(remount, check=False).returncode == 0, "remount")
            append(place, b"two\n")
            daemon.wait_for(
                lambda: bool(
                    {"spool_write_failed", "spool_failed", "store_failed"} & set(daemon.events())
                ),
                "an error",
            )
            subprocess.run(["mount", "-o", "remount,rw", place.root / "small"], check=True)
            daemon.wait_for(lambda: place.archived() == b"one\ntwo\n", "the second line")
            assert daemon.end() == 0
        assert place.verify() == 0


def test_a_directory_in_the_place_of_the_log_ends_the_start(place: Place) -> None:
    """What cannot be read at the start is one clear error and exit 3, not an endless retry."""
    place.log.mkdir()
    with running(place) as daemon:
        assert daemon.process.wait(20) == 3
    assert "audit.log is not a regular file" in daemon.said.read_text()


def test_a_log_without_permission_says_what_to_do() -> None:
    """EACCES is one clear error with the remedy."""
    needs_root()
    folder = tempfile.mkdtemp()
    try:
        place = Place(Path(folder))
        place.log.write_bytes(b"one\n")
        place.log.chmod(0o600)
        for path in (place.root, place.key, place.log.parent):
            os.chown(path, 65534, 65534)
        os.seteuid(65534)
        try:
            with pytest.raises(SourceError, match=r"cannot read .*audit\.log.*;.*"):
                place.once()
        finally:
            os.seteuid(0)
    finally:
        shutil.rmtree(folder)
