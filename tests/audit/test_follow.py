"""Following the log through rotation: the rules of `shipper/audit/follow.py`, by number."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from shipper.audit.absence import MISSING_SECONDS
from shipper.audit.follow import SETTLE_SECONDS, Finished, Segment
from shipper.audit.lines import LINE_BUFFER
from shipper.audit.linger import LINGER_SECONDS
from shipper.errors import SourceError
from tests.audit.support import Reader, Server, compress, copytruncate, event, unpack, unzstd
from tests.conftest import DATA


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """A server that has just started."""
    server = Server(tmp_path)
    server.restart()
    return server


@pytest.fixture
def reader(server: Server) -> Reader:
    """A reader of its log from the beginning."""
    return Reader(server.live)


# -- lines -------------------------------------------------------------------------------------


def test_only_whole_lines_are_handed_out(server: Server, reader: Reader) -> None:
    """A line that is being written is kept back until its newline is there."""
    line = event(1)
    server.write(line[:50])
    assert reader.drain() == b""
    server.write(line[50:] + line[:10])
    assert reader.drain() == line
    server.write(line[10:])
    assert reader.drain() == line
    assert all(segment.terminated for segment in reader.segments)


def test_a_line_longer_than_the_buffer_comes_in_pieces(server: Server, reader: Reader) -> None:
    """A 40 MB line arrives byte for byte, as unterminated pieces, and the next line as usual."""
    line = server.write(b"x" * 40_000_000 + b"\n")
    following = server.log()
    assert reader.drain() == line + following
    kinds = [(len(segment.data) > LINE_BUFFER, segment.terminated) for segment in reader.segments]
    assert kinds[:2] == [(True, False)] * 2
    assert kinds[2][1]
    assert reader.current().unchanged()


def test_flush_hands_out_the_torn_tail(server: Server, reader: Reader) -> None:
    """Who will not wait gets the partial line, once, and later the rest of it."""
    server.write(b"torn")
    reader.drain()
    segment = reader.follower.flush()
    assert segment is not None
    assert (segment.data, segment.terminated) == (b"torn", False)
    segment.source.absorb(segment.data)
    assert reader.follower.flush() is None
    server.write(b" line\n")
    assert reader.drain() == b" line\n"
    assert reader.current().unchanged()


# -- where to begin ----------------------------------------------------------------------------


def test_the_first_start_reads_everything_in_order(server: Server) -> None:
    """From the beginning: rotated files in time order, compressed or not, then the live one."""
    written = server.log(3)
    compress(server.rotate())
    written += server.log(3)
    server.rotate()
    written += server.log(3)
    reader = Reader(server.live)
    assert reader.drain() == written
    assert reader.notices == []
    assert [finished.was_live for finished in reader.finished] == [False, False]


def test_the_first_start_at_the_end_skips_what_is_there(server: Server) -> None:
    """From the end: nothing but lines that begin after the last newline, in hole lines."""
    server.log(3)
    server.rotate()
    server.log(3)
    server.write(b"begun")
    reader = Reader(server.live, start_at="end")
    assert reader.current().end == server.live.stat().st_size - 5
    assert reader.drain() == b""
    server.write(b" and ended\n")
    server.rotate()
    more = server.log(2)
    assert reader.drain() == b"begun and ended\n" + more
    assert reader.changed == []


def test_start_at_end_without_a_log_reads_what_comes(tmp_path: Path) -> None:
    """Where there is no log yet, nothing of what comes later is skipped."""
    server = Server(tmp_path / "logs")
    reader = Reader(server.live, start_at="end")
    assert reader.drain() == b""
    assert reader.follower.current() is None
    (tmp_path / "logs").mkdir()
    assert reader.drain() == b""
    written = server.log(2)
    server.rotate()
    written += server.log(1)
    assert reader.drain() == written


@pytest.mark.parametrize("start_at", ["beginning", "end"])
def test_start_at_counts_once(server: Server, start_at: str) -> None:
    """After a manifest was sealed without a source, only what was rotated since is unread."""
    old = server.log(2)
    server.rotate()
    since = server.tick(60)
    server.tick(60)
    written = server.log(2)
    server.rotate()
    written += server.log(2)
    reader = Reader(server.live, start_at=start_at, since=since)  # type: ignore[arg-type]
    assert reader.drain() == (old if start_at == "beginning" else b"") + written


def test_a_restart_goes_on_at_the_byte(server: Server, reader: Reader) -> None:
    """Nothing is read twice and nothing is skipped."""
    server.log(5)
    reader.drain()
    position = reader.position()
    reader.close()
    written = server.log(5)
    again = Reader(server.live, start_at="end", position=position, since=server.now)
    assert again.drain() == written
    assert again.notices == []
    assert again.current().span(0).prefix_sha256 != position[0].prefix_sha256
    assert again.current().unchanged()


@pytest.mark.parametrize("packed", [False, True])
def test_a_restart_after_rotations_reads_on_in_order(
    server: Server, reader: Reader, packed: bool
) -> None:
    """The rest of the old file, every file rotated since, then the live one."""
    server.log(5)
    reader.drain()
    position, since = reader.position(), server.tick()
    reader.close()
    written = b""
    for _ in range(3):
        written += server.log(3)
        rotated = server.rotate()
        if packed:
            compress(rotated)
    written += server.log(1)
    again = Reader(server.live, position=position, since=since)
    assert again.drain() == written
    assert again.notices == []


def test_a_position_that_is_gone_is_a_gap(server: Server, reader: Reader) -> None:
    """What the old file held is reported as missing; what was rotated later is read."""
    server.log(5)
    reader.drain()
    position, since = reader.position(), server.tick()
    reader.close()
    server.log(2)
    server.rotate().unlink()
    written = server.log(2)
    server.rotate()
    written += server.log(2)
    again = Reader(server.live, position=position, since=since)
    assert again.drain() == written
    assert again.reasons == ["gap"]
    assert f"up to byte {position[0].end}" in again.notices[0].detail
    assert f"inode {position[0].inode}" in again.notices[0].detail


def test_a_position_seen_rotated_needs_no_clock(server: Server, reader: Reader) -> None:
    """A file that was rotated while it lagged carries its stamp, so no later file is missed."""
    server.log(2000)
    reader = Reader(server.live, read_bytes=4096)
    reader.step()
    rotated = server.rotate()
    written = server.log(2)
    server.rotate()
    written += server.log(2)
    reader.step()
    position, since = reader.position(), server.tick(3600)  # sealed long after both rotations
    assert position[0].path == str(rotated)
    rotated.unlink()
    again = Reader(server.live, position=position, since=since)
    assert again.drain() == written
    assert again.reasons == ["gap"]


def test_a_position_is_under_its_newest_name(server: Server, reader: Reader) -> None:
    """A reader that is held up while the log rotates still knows which files come next."""
    server.log(2)
    reader.drain()
    rotated = server.rotate()
    written = server.log(2)
    server.rotate()
    written += server.log(2)
    position, since = reader.position(), server.tick(3600)  # a shutdown, long after both rotations
    assert position[0].path == str(rotated)
    rotated.unlink()
    again = Reader(server.live, position=position, since=since)
    assert again.drain() == written
    assert again.reasons == ["gap"]


def test_a_gap_is_sealed_with_the_place_after_it(server: Server, reader: Reader) -> None:
    """A daemon that dies after it has told the gap goes on where it would have."""
    server.log(2)
    reader.drain()
    position, since = reader.position(), server.tick()
    server.rotate().unlink()
    written = server.log(2)
    server.rotate()
    written += server.log(2)
    again = Reader(server.live, position=position, since=since)
    assert again.reasons == ["gap"]
    once_more = Reader(server.live, position=again.position(), since=server.tick(3600))
    assert once_more.drain() == written
    assert once_more.reasons == []


def test_a_position_waits_for_the_torn_line(server: Server, reader: Reader) -> None:
    """As long as the torn last line may not be sealed yet, the position is in its file."""
    server.log(1)
    server.write(b"torn")
    reader.drain()
    first = reader.current()
    rotated = server.rotate()
    server.log(1)
    torn = reader.follower.read()
    assert isinstance(torn, Segment)
    assert (torn.data, reader.follower.current()) == (b"torn", first)
    again = Reader(server.live, position=[first.span(0)], since=server.now)
    assert again.current().path == rotated
    assert again.drain().startswith(b"torn")
    assert isinstance(reader.follower.read(), Finished)
    assert reader.follower.current() is not first


def test_a_position_in_an_empty_file_loses_nothing(server: Server, reader: Reader) -> None:
    """A file that was empty when the daemon stopped is read whole, wherever it is by now."""
    position, since = reader.position(), server.tick()
    server.live.touch()
    server.tick()
    written = server.log(2)
    server.rotate()
    written += server.log(2)
    again = Reader(server.live, start_at="end", position=position, since=since)
    assert again.drain() == written
    assert again.notices == []


def test_an_edit_before_the_position_is_told_at_start(server: Server, reader: Reader) -> None:
    """Who changed bytes that were read already is noticed, and reading goes on behind them."""
    server.log(5)
    reader.drain()
    position = reader.position()
    reader.close()
    with server.live.open("r+b") as file:
        file.seek(1100)
        file.write(b"????")
    written = server.log(1)
    again = Reader(server.live, position=position, since=server.now)
    assert again.reasons == ["source-edited"]
    assert again.drain() == written


@pytest.mark.parametrize("grown", [0, 1, 20])
@pytest.mark.parametrize("cut", [1, 150, 900])
def test_a_power_loss_that_cut_the_file_duplicates_nothing(
    server: Server, reader: Reader, cut: int, grown: int
) -> None:
    """Sealed lines that the disk lost are not archived again, and new ones are not skipped."""
    server.log(20)
    reader.drain()
    position, since = reader.position(), server.tick()
    reader.close()
    server.stop()
    content = server.live.read_bytes()[:-cut]
    server.live.write_bytes(content)
    server.restart()
    server.tick(60)
    torn = content[content.rfind(b"\n") + 1 :]
    written = server.log(grown)
    again = Reader(server.live, position=position, since=since)
    longer = server.live.stat().st_size >= position[0].end
    assert again.reasons == ["source-edited" if longer else "source-truncated"]
    again.drain()
    # The torn line of before was sealed whole; the line appended to it comes along with it.
    assert again.data == (torn + written if grown else b"")


def test_files_made_by_others_in_between_are_named(server: Server, reader: Reader) -> None:
    """Generations that something else rotated while nobody looked are reported, not guessed at."""
    server.log(5)
    reader.drain()
    position, since = reader.position(), server.tick()
    reader.close()
    copytruncate(server.live, server.live.with_name("audit.log.2"))
    server.log(5)
    copytruncate(server.live, server.live.with_name("audit.log.1"))
    written = server.log(1)
    again = Reader(server.live, position=position, since=since)
    assert again.reasons == ["gap"]
    assert "audit.log.1" in again.notices[0].detail
    assert again.drain() == written


# -- rules 1 to 3: rotation --------------------------------------------------------------------


def test_the_old_descriptor_is_drained_first(server: Server, reader: Reader) -> None:
    """Bytes that the server wrote before it rotated come before those of the new file."""
    written = server.log(2)
    reader.drain()
    written += server.log(3)
    server.rotate()
    written += server.log(3)
    reader.drain()
    assert reader.data == written
    assert [finished.was_live for finished in reader.finished] == [True]
    assert reader.changed == []


def test_several_rotations_between_two_polls_come_in_order(server: Server, reader: Reader) -> None:
    """Files that were rotated unseen are read before the live one, compressed or not."""
    written = server.log(2)
    reader.drain()
    for number in range(4):
        written += server.log(2)
        rotated = server.rotate()
        if number % 2:
            compress(rotated)
    written += server.log(2)
    reader.drain()
    assert reader.data == written
    assert reader.notices == []


def test_the_file_being_read_may_be_compressed_and_removed(server: Server, reader: Reader) -> None:
    """Its gzip copy is known by its head and is not read again."""
    written = server.log(4)
    reader.drain()
    compress(server.rotate())
    written += server.log(2)
    compress(server.rotate())
    assert reader.drain() == written[-len(written) // 3 :]
    assert reader.data == written
    assert reader.notices == []


def test_nothing_is_left_before_the_successor_holds_a_byte(server: Server, reader: Reader) -> None:
    """While the new live file is empty the old one is read on: it may still grow."""
    server.log(2)
    reader.drain()
    first = reader.current()
    server.live.rename(server.live.with_name("audit.log.1"))
    assert reader.drain() == b""
    server.live.touch()
    written = server.log(2)  # to the renamed file
    assert reader.drain() == written
    assert reader.current() is first
    server.restart()
    written = server.log(2)
    assert reader.drain() == written
    assert reader.current() is not first


def test_a_live_file_missing_for_a_moment_is_waited_for(server: Server, reader: Reader) -> None:
    """Between rename and create there is no live file: nothing happens."""
    server.log(2)
    reader.drain()
    server.stop()
    server.live.rename(server.sibling(server.tick()))
    assert reader.drain() == b""
    server.restart()
    assert reader.drain() == b""
    assert reader.notices == []
    written = server.log(1)
    assert reader.drain() == written


def test_a_torn_last_line_is_handed_out_at_rotation(server: Server, reader: Reader) -> None:
    """A line without a newline at the end of a rotated file is archived as it is."""
    written = server.log(1) + server.write(b"torn")
    server.rotate()
    assert reader.drain() == written[:-4]
    written += server.log(1)
    reader.drain()
    assert reader.data == written
    assert [segment.terminated for segment in reader.segments] == [True, False, True]
    assert [segment.source for segment in reader.segments][1] is reader.finished[0].source


def test_empty_rotated_files_are_passed_over(server: Server, reader: Reader) -> None:
    """A rotated file without a byte is no reason to wait, and none to leave the current one."""
    written = server.log(1)
    server.rotate()
    server.rotate()
    assert reader.drain() == written
    server.rotate()
    written += server.log(1)
    reader.drain()
    assert reader.data == written
    assert len(reader.finished) == 1


def test_a_clock_set_back_hides_no_file(server: Server) -> None:
    """A file rotated under an older stamp than the files before it is read all the same."""
    written = server.log(1)
    server.rotate()
    reader = Reader(server.live)
    written += server.log(1)
    reader.drain()
    server.tick(-3600)
    written += server.log(1)
    server.rotate()
    written += server.log(1)
    reader.drain()
    server.rotate()
    written += server.log(1)
    reader.drain()
    assert reader.data == written


def test_a_file_removed_unread_is_a_gap(server: Server) -> None:
    """A rotated file that was seen and has gone before its turn is reported by name."""
    written = server.log(50)
    server.rotate()
    server.log(1)
    lost = server.rotate()
    reader = Reader(server.live, read_bytes=4096)
    reader.step()
    lost.unlink()
    written += server.log(1)
    server.rotate()
    written += server.log(1)
    reader.drain()
    assert reader.data == written
    assert reader.reasons == ["gap"]
    assert lost.name in reader.notices[0].detail


def test_files_that_may_have_gone_unseen_are_told(server: Server, reader: Reader) -> None:
    """If the file being read is gone when its successor is first seen, files between may be too."""
    server.log(1)
    server.rotate()
    server.log(1)
    reader.drain()
    for _ in range(3):
        server.log(1)
        lost = server.rotate()
        lost.unlink()
    written = server.log(1)
    server.rotate()
    written += server.log(1)
    assert reader.drain().endswith(written)
    assert sorted(reader.reasons) == ["gap", "source-unlinked"]


def test_an_edit_behind_the_reader_is_seen_at_rotation(server: Server, reader: Reader) -> None:
    """Hashing the file again when it is finished tells that somebody changed it."""
    server.log(10)
    reader.drain()
    with server.live.open("r+b") as file:
        file.seek(2000)
        file.write(b"?")
    rotated = server.rotate()
    server.log(1)
    reader.drain()
    assert reader.changed == [rotated]


# -- rule 4: truncation ------------------------------------------------------------------------


def test_copytruncate_with_a_copy_loses_nothing(server: Server, reader: Reader) -> None:
    """What was not read before the truncation is read from the copy, whatever it is called."""
    written = server.log(3)
    reader.drain()
    written += server.log(3)
    copytruncate(server.live, server.live.with_name("audit.log.1"))
    written += server.log(2)
    reader.drain()
    assert reader.data == written
    assert reader.reasons == ["source-truncated"]
    assert reader.changed == []
    assert reader.current().span(0).path == str(server.live)


@pytest.mark.parametrize("packed", [False, True])
def test_a_partial_line_goes_on_in_the_copy(server: Server, reader: Reader, packed: bool) -> None:
    """A line that was cut by our read is completed from the copy, also a compressed one."""
    line = event(7)
    written = server.log(3) + server.write(line[:100])
    reader.drain()
    written += server.write(line[100:])
    copy = server.live.with_name("audit.log-20261123")
    copytruncate(server.live, copy)
    if packed:
        compress(copy)
    written += server.log(2)
    reader.drain()
    assert reader.data == written
    assert all(segment.terminated for segment in reader.segments)


def test_truncation_without_a_copy_keeps_the_partial_line(server: Server, reader: Reader) -> None:
    """What was read of the last line is handed out as it is; then the new content."""
    written = server.log(3) + server.write(b"partial")
    reader.drain()
    os.truncate(server.live, 0)
    written += server.log(2)
    reader.drain()
    assert reader.data == written
    assert reader.reasons == ["source-truncated"]
    assert [segment.terminated for segment in reader.segments] == [True, False, True]
    assert reader.segments[1].source is reader.finished[0].source
    assert not reader.finished[0].was_live


@pytest.mark.parametrize("unread", [0, 3])
def test_a_copy_named_like_a_rotated_file_is_read_once(
    server: Server, reader: Reader, unread: int
) -> None:
    """A copy that looks rotated by the API server is not taken for the next file."""
    written = server.log(5)
    reader.drain()
    written += server.log(unread)
    copytruncate(server.live, server.sibling(server.tick()))
    written += server.log(2)
    reader.drain()
    server.rotate()
    written += server.log(2)
    reader.drain()
    assert reader.data == written


def test_a_copy_that_was_edited_is_not_the_copy(server: Server, reader: Reader) -> None:
    """Only a copy with all the bytes that were absorbed is read on in."""
    written = server.log(10)
    reader.drain()
    server.log(3)
    copy = server.live.with_name("audit.log.1")
    copytruncate(server.live, copy)
    with copy.open("r+b") as file:
        file.seek(2000)
        file.write(b"?")
    written += server.log(2)
    reader.drain()
    assert reader.data == written


def test_nul_bytes_are_archived_like_any_byte(server: Server, reader: Reader) -> None:
    """A server without O_APPEND leaves a hole of NUL bytes, which is part of the file."""
    written = server.log(30)
    reader.drain()
    server.stop()
    os.truncate(server.live, 0)
    line = event(1000)
    with server.live.open("r+b") as file:
        file.seek(len(written))
        file.write(line)
    reader.drain()
    assert reader.data == written + b"\0" * len(written) + line
    assert reader.current().unchanged()
    position = reader.position()
    again = Reader(server.live, position=position, since=server.now)
    server.restart()
    more = server.log(1)
    assert again.drain() == more
    assert again.notices == []


def test_truncation_of_a_file_left_for_its_successor(server: Server, reader: Reader) -> None:
    """Truncated between rename and its successor's first byte: both generations are read."""
    written = server.log(5)
    reader.drain()
    server.live.rename(server.live.with_name("audit.log.1"))
    os.truncate(server.live.with_name("audit.log.1"), 0)
    written += server.log(1)
    server.restart()
    written += server.log(1)
    reader.drain()
    assert reader.data == written


def test_a_file_cut_at_its_end_goes_on_where_it_was_cut(server: Server, reader: Reader) -> None:
    """Lines that were read already are not read again when only the end was cut off."""
    written = server.log(20)
    server.tick(10)
    os.utime(server.live, (server.now.timestamp(),) * 2)
    reader.drain()
    size = len(written) - len(event(1)) * 3 - 10
    os.truncate(server.live, size)
    torn = written[:size][written[:size].rfind(b"\n") + 1 :]
    server.tick(10)
    new = server.log(1)
    reader.drain()
    assert reader.reasons == ["source-truncated"]
    assert reader.data == written + torn + new


# -- rule 5: unlink and outside rename -----------------------------------------------------------


def test_a_deleted_live_file_is_told_once_and_read_on(server: Server, reader: Reader) -> None:
    """The server goes on writing to the deleted file, and nothing of it is lost."""
    written = server.log(2)
    reader.drain()
    server.live.unlink()
    written += server.log(2)
    reader.drain()
    reader.drain()
    assert reader.data == written
    assert reader.reasons == ["source-unlinked"]


def test_a_file_that_was_left_is_listened_to(server: Server, reader: Reader) -> None:
    """What the server still writes to a deleted file is archived after its successor began."""
    server.log(2)
    reader.drain()
    first = reader.current()
    server.live.unlink()
    server.live.write_bytes(event(1000))
    assert reader.drain() == event(1000)
    assert reader.current() is not first
    written = server.log(1)  # to the deleted file
    assert reader.drain() == written
    assert reader.segments[-1].source is first
    assert reader.finished == []
    reader.time += LINGER_SECONDS + 1
    reader.drain()
    assert [(finished.source, finished.was_live) for finished in reader.finished] == [(first, True)]
    assert reader.changed == []


def test_a_file_deleted_before_it_held_a_byte_is_read(server: Server, reader: Reader) -> None:
    """The new live file is open already when it is deleted, so what is written to it is read."""
    server.log(2)
    reader.drain()
    server.rotate()
    reader.drain()
    server.live.unlink()
    written = server.log(2)
    assert reader.drain() == written
    server.log(1)
    reader.drain()
    assert reader.reasons == ["source-unlinked"]


def test_a_live_file_that_stays_away_is_told(server: Server, reader: Reader) -> None:
    """If there is no live file for 10 s, somebody deleted it before it was seen."""
    server.log(2)
    reader.drain()
    server.rotate()
    server.live.unlink()
    reader.drain()
    reader.time += MISSING_SECONDS - 1
    reader.drain()
    assert reader.notices == []
    reader.time += 1
    reader.drain()
    reader.drain()
    assert reader.reasons == ["source-unlinked"]
    server.restart()
    written = server.log(1)
    assert reader.drain() == written


def test_two_files_at_most_are_listened_to(server: Server, reader: Reader) -> None:
    """The third that is left ends the first."""
    sources = []
    for number in range(4):
        server.log(1)
        reader.drain()
        sources.append(reader.current())
        server.live.rename(server.live.with_name(f"audit.log.{number}"))
        server.restart()
    assert [finished.source for finished in reader.finished] == sources[:1]


def test_a_file_that_was_left_and_truncated_is_let_go(server: Server, reader: Reader) -> None:
    """Its partial line is handed out, the truncation is told, and it is read no further."""
    server.log(2)
    reader.drain()
    renamed = server.live.with_name("audit.log.1")
    server.live.rename(renamed)
    server.live.write_bytes(event(1000))
    reader.drain()
    server.write(b"partial")
    reader.drain()
    os.truncate(renamed, 0)
    assert reader.drain() == b"partial"
    assert reader.reasons == ["source-truncated"]
    assert [finished.was_live for finished in reader.finished] == [False]


def test_a_normal_rotation_leaves_no_descriptor(server: Server, reader: Reader) -> None:
    """Only files that may still be written to are kept open."""
    server.log(1)
    reader.drain()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(10):
        server.rotate()
        server.log(1)
        reader.drain()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_outside_rename_survives_a_restart(server: Server, reader: Reader) -> None:
    """The renamed file, to which the server still writes, is found and read on."""
    server.log(5)
    reader.drain()
    server.live.rename(server.live.with_name("audit.log.1"))
    position = reader.position()
    reader.close()
    written = server.log(1)
    again = Reader(server.live, position=position, since=server.now)
    assert again.drain() == written
    written = server.log(1)
    assert again.drain() == written
    server.restart()
    written = server.log(1)
    assert again.drain() == written


# -- rule 6: gzip --------------------------------------------------------------------------------


def _half_packed(server: Server) -> tuple[bytes, Path, bytes]:
    content = server.log(500)
    rotated = server.rotate()
    packed = gzip.compress(content)
    rotated.unlink()
    half = rotated.with_name(rotated.name + ".gz")
    half.write_bytes(packed[: len(packed) // 2])
    return content, half, packed


def test_an_incomplete_gzip_is_waited_for(server: Server) -> None:
    """As long as it changes nothing behind it is read; when it is complete, all of it was."""
    content, half, packed = _half_packed(server)
    written = server.log(1)
    reader = Reader(server.live)
    reader.drain()
    for cut in range(len(packed) // 2, len(packed), 100):
        half.write_bytes(packed[:cut])
        reader.drain()
        reader.time += SETTLE_SECONDS - 0.1
        assert content.startswith(reader.data)
        assert reader.follower.settling, "this is not the log's end"
    half.write_bytes(packed)
    reader.drain()
    assert not reader.follower.settling
    assert reader.data == content + written
    assert reader.notices == []


def test_a_gzip_that_stays_incomplete_is_a_gap(server: Server) -> None:
    """After 5 s without a change what decodes is archived, the gap is told, and reading goes on."""
    content, half, _ = _half_packed(server)
    written = server.log(1)
    reader = Reader(server.live)
    reader.drain()
    assert reader.notices == []
    reader.time += SETTLE_SECONDS
    reader.drain()
    assert reader.reasons == ["gap"]
    assert half.name in reader.notices[0].detail
    first = b"".join(s.data for s in reader.segments if s.source is reader.finished[0].source)
    assert content.startswith(first)
    assert len(first) > 1000
    assert reader.data == first + written


def test_the_plain_file_is_used_if_it_is_there(server: Server) -> None:
    """If the uncompressed file turns up beside an incomplete gzip, reading goes on in it."""
    content, half, _ = _half_packed(server)
    written = server.log(1)
    reader = Reader(server.live)
    reader.drain()
    half.with_name(half.name.removesuffix(".gz")).write_bytes(content)
    reader.drain()
    assert reader.data == content + written
    assert reader.notices == []


def test_a_corrupt_gzip_is_a_gap_at_once(server: Server) -> None:
    """What decodes is archived, without waiting for the rest."""
    _, half, packed = _half_packed(server)
    middle = len(packed) // 2
    half.write_bytes(packed[:middle] + b"\xff" * 100 + packed[middle + 100 :])
    written = server.log(1)
    reader = Reader(server.live)
    reader.drain()
    reader.drain()
    assert reader.reasons == ["gap"]
    assert reader.data.endswith(written)
    assert len(reader.data) > len(written) + 1000


# -- rule 7: absence and refusal -------------------------------------------------------------------


def test_no_directory_is_nothing_to_read(tmp_path: Path) -> None:
    """The API server may start later than the reader."""
    server = Server(tmp_path / "a" / "b")
    reader = Reader(server.live)
    assert reader.step() is None
    server.live.parent.mkdir(parents=True)
    assert reader.step() is None
    written = server.log(1)
    assert reader.drain() == written


def test_refusal_is_an_error_that_may_be_repaired(unprivileged: Path) -> None:
    """Who may not read is told; when the mode is changed the same call succeeds."""
    server = Server(unprivileged)
    written = server.log(1)
    server.live.chmod(0)
    reader = Reader(server.live)
    for _ in range(2):
        with pytest.raises(SourceError, match="0640"):
            reader.step()
    server.live.chmod(0o600)
    assert reader.drain() == written
    unprivileged.chmod(0)
    with pytest.raises(SourceError, match="CAP_DAC_READ_SEARCH"):
        reader.step()


def test_close_gives_back_every_descriptor(server: Server) -> None:
    """Whatever the follower was doing, nothing stays open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    reader = Reader(server.live)
    server.log(1)
    reader.drain()
    for number in range(2):
        server.live.rename(server.live.with_name(f"audit.log.{number}"))
        server.live.write_bytes(event(1000 + number))
        reader.drain()
    server.live.rename(server.live.with_name("audit.log.9"))
    server.live.write_bytes(event(2000))
    reader.step()
    reader.close()
    server.stop()
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 1


# -- recordings ------------------------------------------------------------------------------------


def _archive_of(directory: Path, order: list[str]) -> bytes:
    out = b""
    for name in order:
        data = (directory / name).read_bytes()
        out += gzip.decompress(data) if name.endswith(".gz") else data
    return out


def test_a_recorded_run_with_gzip_is_read_whole(tmp_path: Path) -> None:
    """Every file of a run of a real API server, in order, byte for byte."""
    recorded = DATA / "rotation" / "gzip-1MB-keep12"
    unpack(recorded / "logs.tar.zst", tmp_path)
    (live,) = tmp_path.rglob("audit.log")
    reader = Reader(live)
    reader.drain()
    assert reader.data == _archive_of(live.parent, (recorded / "order.txt").read_text().split())
    assert reader.notices == []


def test_a_recorded_run_of_sixty_rotations_is_read_whole(tmp_path: Path, shared: Path) -> None:
    """Every file of a run of a real API server, in order, byte for byte."""
    recorded = shared / "corpora" / "rotation" / "plain-1MB"
    unpack(recorded / "logs.tar.zst", tmp_path)
    (live,) = tmp_path.rglob("audit.log")
    reader = Reader(live)
    reader.drain()
    assert reader.data == _archive_of(live.parent, (recorded / "order.txt").read_text().split())
    assert reader.notices == []


@pytest.mark.parametrize("name", sorted(path.name for path in (DATA / "torn").iterdir()))
def test_recorded_torn_files_are_read_whole(tmp_path: Path, name: str) -> None:
    """Torn last lines and lines joined after a crash come out as they are in the file."""
    server = Server(tmp_path)
    data = server.write(unzstd(DATA / "torn" / name))
    server.rotate()
    written = server.log(1)
    reader = Reader(server.live)
    reader.drain()
    assert reader.data == data + written


def test_a_recorded_hole_is_read_whole(tmp_path: Path) -> None:
    """The start of a file after an outside `copytruncate`: 7 MB of NUL bytes, then events."""
    (recording,) = (DATA / "rotation" / "external").iterdir()
    server = Server(tmp_path)
    data = server.write(unzstd(recording))
    reader = Reader(server.live)
    reader.drain()
    assert reader.data == data
