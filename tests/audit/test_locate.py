"""Finding the file of a recorded position."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shipper.audit.locate import Match, locate
from shipper.audit.source import open_source
from shipper.model import SourceSpan
from tests.audit.support import START, Server, compress, copytruncate, event


def _span(path: Path, end: int, live: Path) -> SourceSpan:
    source = open_source(path, live=live)
    assert source is not None
    assert source.seek(end)
    span = source.span(0)
    source.close()
    return span


def _found(live: Path, span: SourceSpan) -> tuple[str, Match] | None:
    located = locate(live, span)
    if located is None:
        return None
    found = located.source.path.name, located.match
    offset = 0 if located.match is Match.SHORT else span.end
    assert located.source.offset == located.source.end == offset
    located.source.close()
    return found


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A server that has logged a bit."""
    server = Server(tmp_path)
    server.log(20)
    return server


def test_the_live_file_is_found_where_it_was(server: Server) -> None:
    """Nothing happened but growth."""
    span = _span(server.live, 3000, server.live)
    server.log(20)
    assert _found(server.live, span) == ("audit.log", Match.INTACT)


@pytest.mark.parametrize("packed", [False, True])
def test_a_rotated_file_is_found(server: Server, packed: bool) -> None:
    """It is found under its new name, also when it was compressed into another inode."""
    span = _span(server.live, 3000, server.live)
    rotated = server.rotate()
    server.log(20)
    if packed:
        rotated = compress(rotated)
    assert _found(server.live, span) == (rotated.name, Match.INTACT)


@pytest.mark.parametrize("name", ["audit.log.1", "audit.log-20261123", "audit-old.log"])
@pytest.mark.parametrize("packed", [False, True])
def test_an_outside_copy_is_found(server: Server, name: str, packed: bool) -> None:
    """Whatever `logrotate` called the copy, its head gives it away."""
    span = _span(server.live, 3000, server.live)
    copy = server.live.with_name(name)
    copytruncate(server.live, copy)
    server.log(20)
    if packed:
        copy = compress(copy)
    assert _found(server.live, span) == (copy.name, Match.INTACT)


def test_a_reused_inode_is_not_the_file(server: Server) -> None:
    """Another file with the recorded device, inode, path and size is not taken."""
    span = _span(server.live, 3000, server.live)
    server.live.write_bytes(b"".join(map(event, range(500, 600))))
    assert server.live.stat().st_ino == span.inode
    assert _found(server.live, span) is None


def test_an_empty_head_names_no_file(tmp_path: Path) -> None:
    """A position in an empty file is nowhere: every file starts like it."""
    server = Server(tmp_path)
    server.restart()
    span = _span(server.live, 0, server.live)
    server.log(5)
    assert _found(server.live, span) is None


def test_the_hash_decides_between_files_with_the_same_head(tmp_path: Path) -> None:
    """Of several files with the recorded head, the one with the recorded hash is taken."""
    live = tmp_path / "audit.log"
    hole = b"\0" * 2000
    live.write_bytes(hole + event(1) + event(2))
    (tmp_path / "audit.log.1").write_bytes(hole + event(3) + event(4))
    span = _span(tmp_path / "audit.log.1", 2300, live)
    assert _found(live, span) == ("audit.log.1", Match.INTACT)
    (tmp_path / "audit.log.1").unlink()
    assert _found(live, span) is None  # NUL bytes are nobody's head


def test_plain_is_preferred_to_gzip_and_live_to_all(server: Server) -> None:
    """Among equal files the one that is cheapest and most likely to grow is taken."""
    span = _span(server.live, 3000, server.live)
    rotated = server.sibling(START)
    for copy in (rotated, server.live.with_name("audit.log.1"), server.sibling(server.tick())):
        shutil.copy(server.live, copy)
    assert _found(server.live, span) == ("audit.log", Match.INTACT)
    server.live.unlink()
    compress(rotated)
    assert _found(server.live, span) == (server.sibling(server.now).name, Match.INTACT)
    server.sibling(server.now).unlink()
    assert _found(server.live, span) == (rotated.name + ".gz", Match.INTACT)
    rotated.with_name(rotated.name + ".gz").unlink()
    assert _found(server.live, span) == ("audit.log.1", Match.INTACT)


def test_an_edited_file_is_still_the_file(server: Server) -> None:
    """An edit behind the position is told, and does not hide the file."""
    span = _span(server.live, 3000, server.live)
    with server.live.open("r+b") as file:
        file.seek(2000)
        file.write(b"?")
    assert _found(server.live, span) == ("audit.log", Match.EDITED)


def test_a_shorter_file_is_the_file_only_where_it_was(server: Server) -> None:
    """After a power loss the file lacks its end; a shorter copy elsewhere is just a copy."""
    span = _span(server.live, 3000, server.live)
    copy = server.live.with_name("audit.log.1")
    copy.write_bytes(server.live.read_bytes()[:2000])
    server.live.write_bytes(server.live.read_bytes()[:2500])
    assert _found(server.live, span) == ("audit.log", Match.SHORT)
    server.live.unlink()
    assert _found(server.live, span) is None


def test_others_that_may_not_be_read_are_passed_over(unprivileged: Path) -> None:
    """A file that is none of the log's may be closed to us."""
    server = Server(unprivileged)
    server.log(20)
    span = _span(server.live, 3000, server.live)
    server.live.rename(unprivileged / "audit.log.2")
    (unprivileged / "audit-private").touch(mode=0)
    assert _found(server.live, span) == ("audit.log.2", Match.INTACT)


def test_no_descriptor_is_left_open(server: Server) -> None:
    """Only the file that was found stays open."""
    span = _span(server.live, 3000, server.live)
    for number in range(5):
        shutil.copy(server.live, server.live.with_name(f"audit.log.{number}"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert _found(server.live, span) is not None
    server.live.write_bytes(b"")
    assert _found(server.live, span) is not None
    assert len(list(Path("/proc/self/fd").iterdir())) == before
