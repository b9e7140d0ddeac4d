"""One file: reading, identity, hash."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipper.audit.plain import State
from shipper.audit.source import SourceFile, open_source
from shipper.errors import SourceError
from tests.audit.support import event


def _open(path: Path, live: str = "audit.log") -> SourceFile:
    source = open_source(path, live=path.parent / live)
    assert source is not None
    return source


def _read_all(source: SourceFile, size: int = 4096) -> bytes:
    out = b""
    while data := source.read(size):
        assert len(data) <= size
        out += data
    return out


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A live file with some events."""
    path = tmp_path / "audit.log"
    path.write_bytes(b"".join(map(event, range(20))))
    return path


def test_a_span_records_what_was_absorbed(live: Path) -> None:
    """Identity, head, offsets, and the hash of all bytes up to the end."""
    source = _open(live)
    content = live.read_bytes()
    for _ in range(3):
        source.absorb(source.read(1000))
    span = source.span(2000)
    assert (span.path, span.start, span.end) == (str(live), 2000, 3000)
    assert (span.device, span.inode) == (live.stat().st_dev, live.stat().st_ino)
    assert (span.head.size, span.head.sha256) == (1024, _sha256(content[:1024]))
    assert span.prefix_sha256 == _sha256(content[:3000])
    source.close()
    source.close()


def test_the_head_grows_with_the_file(tmp_path: Path) -> None:
    """A file that is shorter than 1 KiB is identified by what there is, and by more later."""
    path = tmp_path / "audit.log"
    path.touch()
    source = _open(path)
    assert source.span(0).head.size == 0
    content = b""
    for number in range(6):
        content += event(number)
        path.write_bytes(content)
        _read_all(source)
        assert source.span(0).head.size == min(1024, len(content))
        assert source.span(0).head.sha256 == _sha256(content[:1024])


def test_a_read_of_an_idle_file_finds_what_was_added(live: Path) -> None:
    """After the end was reached, new bytes are read as they come, and nothing in between."""
    source = _open(live)
    assert _read_all(source) == live.read_bytes()
    assert source.read(10) == b""
    with live.open("ab") as file:
        file.write(b"more")
    assert source.read(10) == b"more"
    assert source.state is State.SOUND


def test_truncation_is_seen_while_the_file_is_short(live: Path) -> None:
    """A file that is shorter than what was read of it is another generation."""
    source = _open(live)
    _read_all(source)
    os.truncate(live, 0)
    assert source.read(10) == b""
    assert source.state is State.TRUNCATED


@pytest.mark.parametrize("grown", [0, 1, 100_000])
def test_truncation_is_seen_after_regrowth(live: Path, grown: int) -> None:
    """A file that grew again to our offset or beyond it does not pass for the old one."""
    source = _open(live)
    size = len(_read_all(source))
    new = b"".join(map(event, range(100, 500)))[: size + grown]
    os.truncate(live, 0)
    with live.open("ab") as file:
        file.write(new)
    os.utime(live, ns=(0, 1))
    assert source.read(10) == b""
    assert source.state is State.TRUNCATED


def test_truncation_with_a_hole_is_seen(live: Path) -> None:
    """A server without O_APPEND goes on at its old offset and leaves NULs before it."""
    source = _open(live)
    size = len(_read_all(source))
    os.truncate(live, 0)
    with live.open("r+b") as file:
        file.seek(size)
        file.write(event(1000))
    assert source.read(1 << 20) == b""
    assert source.state is State.TRUNCATED
    again = source.next_generation()
    assert _read_all(again) == b"\0" * size + event(1000)


def test_a_file_that_lost_its_end_is_told_from_a_new_one(live: Path) -> None:
    """If what is left starts the same, the file was shortened and not replaced."""
    source = _open(live)
    size = len(_read_all(source))
    os.truncate(live, size - 100)
    assert source.read(10) == b""
    assert source.state is State.SHORTENED


def test_an_edit_behind_the_reader_changes_the_file(live: Path) -> None:
    """Hashing again what was absorbed tells an edit from growth."""
    source = _open(live)
    source.absorb(_read_all(source, 1 << 20))
    with live.open("ab") as file:
        file.write(b"more")
    assert source.unchanged()
    with live.open("r+b") as file:
        file.seek(500)
        file.write(b"?")
    assert not source.unchanged()
    os.truncate(live, 300)
    assert not source.unchanged()


def test_seek_takes_what_lies_before_as_absorbed(live: Path) -> None:
    """After a seek reading goes on there, and the hash covers all before."""
    source = _open(live)
    content = live.read_bytes()
    assert source.seek(1500)
    assert source.in_line
    assert source.span(1500).prefix_sha256 == _sha256(content[:1500])
    assert source.read(1 << 20) == content[1500:]
    assert not _open(live).seek(len(content) + 1)
    assert source.holds(len(content))
    assert not source.holds(len(content) + 1)


def test_only_the_configured_path_may_be_a_link(tmp_path: Path, live: Path) -> None:
    """A link among the rotated files is ignored; the live path may be one."""
    link = tmp_path / "audit-2026-11-23T15-11-32.194.log"
    link.symlink_to(live)
    assert open_source(link, live=live) is None
    assert open_source(link, live=link) is not None


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    """A FIFO under the live name is an error and does not hang the reader; others are ignored."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    assert open_source(fifo, live=tmp_path / "audit.log") is None
    with pytest.raises(SourceError, match="not a regular file"):
        open_source(fifo, live=fifo)
    with pytest.raises(SourceError, match="not a regular file"):
        open_source(tmp_path, live=tmp_path)
    assert open_source(tmp_path / "nothing", live=fifo) is None


def test_a_closed_file_is_an_error_with_a_remedy(unprivileged: Path) -> None:
    """Who may not read the log is told which modes it has and what to do."""
    path = unprivileged / "audit.log"
    path.touch(mode=0)
    with pytest.raises(SourceError, match="0600 root:root"):
        open_source(path, live=path)


def test_a_name_that_is_no_text_can_be_recorded(tmp_path: Path) -> None:
    """The path of a file with an undecodable name is valid text in the record."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/audit.log.\xff"))
    path.write_bytes(b"x\n")
    assert _open(path).span(0).path.encode().endswith(b"audit.log.\\xff")


# -- gzip --------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=3000), max_size=4), st.integers(1, 5000), st.integers(0, 9000))
def test_gzip_reads_like_the_file_it_was_made_of(
    tmp_path_factory: pytest.TempPathFactory, members: list[bytes], size: int, start: int
) -> None:
    """Members in a row are one content, in bounded reads, from any offset, with the plain head."""
    path = tmp_path_factory.mktemp("gz") / "audit-2026-11-23T15-11-32.194.log.gz"
    content = b"".join(members)
    path.write_bytes(b"".join(map(gzip.compress, members)) + b"\0" * 3)
    source = _open(path)
    assert source.head_bytes == content[:1024]
    assert source.seek(start) == (start <= len(content))
    assert _read_all(source, size) == content[start:]
    assert source.state is (State.SOUND if members else State.CORRUPT)
    assert source.holds(len(content))
    assert not source.holds(len(content) + 1)
    assert source.unchanged()
    source.close()


def test_a_gzip_that_is_still_being_written_is_read_as_it_grows(tmp_path: Path) -> None:
    """All that decodes is handed out; the end of the stream is known when it is there."""
    content = os.urandom(5000) + b"\n"
    packed = gzip.compress(content)
    path = tmp_path / "audit-2026-11-23T15-11-32.194.log.gz"
    path.touch()
    source = _open(path)
    out = _read_all(source)
    for cut in range(0, len(packed), 100):
        path.write_bytes(packed[:cut])
        out += _read_all(source)
        assert source.state is State.CUT_SHORT
        assert content.startswith(out)
        assert source.head_bytes == out[:1024]
    path.write_bytes(packed)
    out += _read_all(source)
    assert (out, source.state) == (content, State.SOUND)


@pytest.mark.parametrize("where", ["middle", "checksum", "behind"])
def test_a_corrupt_gzip_gives_all_that_decodes(tmp_path: Path, where: str) -> None:
    """Everything before the bad byte comes out, also what zlib drops when it fails."""
    content = b"".join(map(event, range(2000)))
    packed = bytearray(gzip.compress(content))
    path = tmp_path / "audit-2026-11-23T15-11-32.194.log.gz"
    if where == "middle":
        packed[len(packed) // 2] ^= 0xFF
    elif where == "checksum":
        packed[-8] ^= 0xFF
    else:
        packed += b"garbage"
    path.write_bytes(packed)
    source = _open(path)
    out = _read_all(source)
    source.absorb(out)
    assert source.state is State.CORRUPT
    if where == "middle":
        expected = _decodable(bytes(packed))
        assert len(expected) > 10_000
        assert out == expected
    else:
        assert out == content
    assert source.unchanged()


def _decodable(packed: bytes) -> bytes:
    inflate = zlib.decompressobj(31)
    out = b""
    try:
        for byte in packed:
            out += inflate.decompress(bytes([byte]))
    except zlib.error:
        pass
    return out


def test_a_gzip_bomb_comes_in_bounded_reads(tmp_path: Path) -> None:
    """However well it was compressed, one read gives no more than it was asked for."""
    path = tmp_path / "audit-2026-11-23T15-11-32.194.log.gz"
    path.write_bytes(gzip.compress(b"\0" * (50 << 20)))
    source = _open(path)
    total = 0
    while data := source.read(1 << 20):
        assert len(data) <= 1 << 20
        total += len(data)
    assert total == 50 << 20
