"""A node that an older program has left goes on with this one (tests/data/upgrade/make.sh)."""

from __future__ import annotations

import io
import tarfile
from itertools import islice
from pathlib import Path

import pytest
import zstandard
from click.testing import CliRunner

from bench.replay import LiveLog, read_lines
from shipper.cli.main import commands
from shipper.errors import SpoolError
from tests.conftest import DATA
from tests.daemon import Place

LEFT_BEHIND = sorted((DATA / "upgrade").glob("*.tar.zst"))
WHOLE = b"".join(islice(read_lines(DATA / "demo.log.zst"), 300))
"""The log of all nodes begins with these lines; `make.sh` has written two thirds of them."""


@pytest.fixture(params=LEFT_BEHIND, ids=lambda path: path.name.partition(".")[0])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """On another disk: every file has another path, device and inode than was recorded."""
    packed = zstandard.decompress(request.param.read_bytes(), max_output_size=4 << 20)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(tmp_path, filter="data")
    return Place(tmp_path)


def cat(place: Place) -> bytes:
    """What `audit-shipper cat` prints; all of it verifies, and nothing is missing."""
    result = CliRunner().invoke(commands, ["cat", place.url, "--key", str(place.public)])
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def numbers(place: Place) -> list[int]:
    """The sequence numbers of the one log that there is."""
    (log,) = place.archive.glob("*/*/*")
    return sorted(int(path.name[:12]) for path in log.glob("manifest/*.note"))


def write_the_rest(place: Place, *, rotate: bool) -> None:
    """The torn line is completed and others follow, with a rotation between them or without."""
    (rotated,) = place.log.parent.glob("audit-*.log")
    written = len(rotated.read_bytes() + place.log.read_bytes())
    rest = WHOLE[written:].splitlines(keepends=True)
    with LiveLog(place.log) as live:
        for number, line in enumerate(rest):
            if rotate and number == 50:
                live.rotate()
                live.gzip_oldest()
            live.append(line)


@pytest.mark.parametrize("rotate", [False, True], ids=["plain", "rotated"])
def test_it_goes_on(place: Place, rotate: bool) -> None:
    """Spool and positions are understood: one unbroken chain, and the archive is the whole log."""
    before = numbers(place)
    waiting = len(list(place.spool.glob("*.sealed")))
    assert waiting >= 2
    write_the_rest(place, rotate=rotate)
    assert place.once(config=place.config(rules={"catalog": "default"})) == 0
    assert place.verify() == 0, place.said.getvalue()
    assert cat(place) == WHOLE
    after = numbers(place)
    assert after == list(range(len(after)))
    assert len(after) > len(before) + waiting
    assert b'"reason":"config-changed"' in b"".join(
        path.read_bytes() for path in place.archive.glob("*/*/*/manifest/*")
    )


def test_a_later_spool_is_left_alone(place: Place) -> None:
    """One that only a newer program knows ends the start with what to do; nothing is changed."""
    for path in place.spool.glob("*.s*ed"):
        path.write_bytes(
            path.read_bytes().replace(b"audit-shipper/spool/v1", b"audit-shipper/spool/v2")
        )
    before = {path: path.read_bytes() for path in place.root.rglob("*") if path.is_file()}
    with pytest.raises(SpoolError, match=r"of version .*v2.*; run .* a newer one"):
        place.once()
    assert before == {path: path.read_bytes() for path in place.root.rglob("*") if path.is_file()}
