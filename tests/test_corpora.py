"""Every recording of a real API server through the daemon: `cat` gives it back byte for byte."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from shipper.cli.main import commands
from tests.conftest import DATA
from tests.daemon import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def unpacked(path: Path) -> bytes:
    with zstandard.open(path, "rb") as stream:
        return bytes(stream.read())


def cat(place: Place) -> bytes:
    """What `audit-shipper cat` prints."""
    result = CliRunner().invoke(commands, ["cat", place.url, "--key", str(place.public)])
    assert result.exit_code == 0, result.stderr
    return result.stdout_bytes


@pytest.mark.parametrize(
    "name",
    [
        "torn/enospc-joined-lines.log.zst",
        "torn/sigkill-joined-lines.log.zst",
        "torn/torn-tail-0.bin.zst",
        "torn/torn-tail-3.bin.zst",
        "rotation/external/copytruncate-sparse-example.bin.zst",
        "lifecycle/audit.log.zst",
        "load/audit.log.zst",
    ],
)
def test_a_recording_comes_back(place: Place, shared: Path, name: str) -> None:
    """Torn and joined lines, NUL holes, 4 MB lines, every stage: the bytes are the file's."""
    recording = unpacked(shared / "corpora" / name)
    place.log.write_bytes(recording)
    assert place.once() == 0
    assert cat(place) == recording
    assert place.verify() == 0


@pytest.mark.parametrize("name", ["plain-1MB", "gzip-1MB-keep12"])
def test_a_rotated_log_comes_back_in_order(place: Place, shared: Path, name: str) -> None:
    """61 plain or a dozen gzipped backups and the live file are archived in the order of time."""
    folder = shared / "corpora" / "rotation" / name
    with tarfile.open(fileobj=io.BytesIO(unpacked(folder / "logs.tar.zst"))) as archive:
        archive.extractall(place.root, filter="data")
    place.log.parent.rmdir()
    (place.root / "logs").rename(place.log.parent)
    order = (folder / "order.txt").read_text().split()
    expected = b"".join(_content(place.log.parent / name) for name in order)
    assert place.once() == 0
    assert cat(place) == expected
    assert place.verify() == 0


def _content(path: Path) -> bytes:

    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def test_the_demo_recording_comes_back(place: Place) -> None:
    """The recording that `make run` plays is in every clone, and so is this proof."""
    recording = unpacked(DATA / "demo.log.zst")
    place.log.write_bytes(recording)
    assert place.once() == 0
    assert cat(place) == recording
