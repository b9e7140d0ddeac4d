"""Continuity of source files: rotation, compression, truncation, and what the daemon explains."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shipper.store.memory import MemoryStore
from tests.verify.archive import Log, Source, batch_of, codes, line, report


def new_log() -> Log:
    """A log that follows its first file."""
    log = Log(MemoryStore())
    log.batch(line(1))
    return log


def rotated(log: Log) -> None:
    """The file was renamed; a new one is followed."""
    log.source = Source(inode=8)
    log.batch(line(2))
    log.add("heartbeat")


def compressed(log: Log) -> None:
    """The rest of the file is read from its .gz, which is another inode."""
    log.source.inode = 9
    log.batch(line(2))


def two_files_in_a_batch(log: Log) -> None:
    """The end of one file and the start of the next."""
    rest, new = line(2), line(3)
    spans = [log.source.take(rest)]
    log.source = Source(inode=8)
    spans.append(log.source.take(new))
    log.add("batch", batch=batch_of(rest + new), sources=spans)


def back_to_an_older_file(log: Log) -> None:
    """The next file is followed already when the rest of the old one is read."""
    old, log.source = log.source, Source(inode=8)
    log.add("heartbeat")
    rest = line(2)
    log.add("batch", batch=batch_of(rest), sources=[old.take(rest), log.source.take()])
    log.batch(line(3))


def reused_inode(log: Log) -> None:
    """A new file got the number of one that is gone."""
    log.source = Source(inode=7)
    log.batch(line(2))


def truncated(log: Log) -> None:
    """The file was emptied; the daemon says so."""
    log.source = Source(inode=7)
    log.notice("source-truncated")
    log.batch(line(2))


def lost_its_end(log: Log) -> None:
    """After a power loss the file is shorter: reading goes on within it, and it is said."""
    log.source = Source(inode=7)
    log.source.take(line(1)[:20])
    log.notice("config-changed")
    log.notice("source-truncated")
    log.batch(line(2))


def edited(log: Log) -> None:
    """Somebody edited the file behind the reader; its prefix is another one now."""
    end = log.source.end
    log.source = Source(inode=7)
    log.source.take(b"x" * end)
    log.notice("source-edited")
    log.batch(line(2))
    log.batch(line(3))


def unexplained_until_after_a_heartbeat(log: Log) -> None:
    """The explanation may come any time before the next batch."""
    log.source.take(b"gone")
    log.add("heartbeat")
    log.notice("source-unlinked")
    log.batch(line(2))


@pytest.mark.parametrize(
    "happens",
    [
        rotated, compressed, two_files_in_a_batch, back_to_an_older_file, reused_inode, truncated,
        lost_its_end, edited, unexplained_until_after_a_heartbeat,
    ],
)  # fmt: skip
def test_what_happens_to_files_is_no_problem(happens: Callable[[Log], None]) -> None:
    """The life of a log file, sealed as the daemon seals it, is good."""
    log = new_log()
    happens(log)
    log.end()
    assert codes(report(log.store)) == set()


def skipped(log: Log) -> None:
    """Bytes in the middle of a file."""
    log.source.take(b"gone")
    log.batch(line(2))


def skipped_at_the_end(log: Log) -> None:
    """The position moved, and no batch came after."""
    log.source.take(b"gone")


def explained_too_late(log: Log) -> None:
    """The explanation comes after the batch."""
    skipped(log)
    log.notice("source-truncated")


def explained_by_something_else(log: Log) -> None:
    """A notice about something else explains nothing."""
    log.source.take(b"gone")
    log.notice("config-changed")
    log.batch(line(2))


def unknown_file(log: Log) -> None:
    """A file that nobody has seen begins in its middle."""
    log.source = Source(inode=8)
    log.source.take(b"x" * 999)
    log.batch(line(2))


@pytest.mark.parametrize(
    "happens",
    [skipped, skipped_at_the_end, explained_too_late, explained_by_something_else, unknown_file],
)
def test_bytes_that_nobody_explains_are_missing(happens: Callable[[Log], None]) -> None:
    """A jump in a source file counts against completeness."""
    log = new_log()
    happens(log)
    log.end()
    assert codes(report(log.store)) == {"source-gap"}


def test_a_log_may_begin_in_the_middle_of_a_file() -> None:
    """`start_at: end`: the genesis says where."""
    source = Source()
    source.take(b"x" * 5_000)
    log = Log(MemoryStore(), source=source)
    log.batch(line(1))
    assert codes(report(log.store)) == set()


def test_a_prefix_is_checked_again_from_the_next_file_on() -> None:
    """After an edit the hash of the old file is not known; that of the next one is."""
    log = new_log()
    edited(log)
    log.source = Source(inode=8)
    log.batch(line(4))
    log.batch(line(5), edit=None)
    assert codes(report(log.store)) == set()
    raw = line(6)
    span = log.source.take(b"y" * len(raw))
    log.add("batch", batch=batch_of(raw), sources=[span])
    assert codes(report(log.store)) == {"source-prefix"}


def test_many_open_jumps_are_not_kept_for_ever() -> None:
    """A flood of unexplained jumps is written down without waiting for an explanation."""
    log = new_log()
    for _ in range(40):
        log.source.take(b"gone")
        log.notice("config-changed")
    log.notice("source-truncated")
    assert "source-gap" in codes(report(log.store))
