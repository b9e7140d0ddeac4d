"""Any history of a log, whatever happens in which order, comes out byte for byte and in order."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shipper.audit.follow import SETTLE_SECONDS, Segment
from shipper.audit.plain import identifies
from shipper.audit.siblings import list_siblings
from shipper.model import SourceSpan
from tests.audit.support import Reader, Server, compress, copytruncate, event


class History:
    """A server, a reader that may be killed, and everything that was written so far.

    What no reader could survive is left out: two generations that something else rotated while
    nobody looked, files removed before they were read, and a deleted file after a restart.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.server = Server(directory)
        self.written = b""
        self.number = 0
        self.sealed: tuple[bytes, list[SourceSpan], datetime | None] = (b"", [], None)
        self.archived = b""
        self.told: list[str] = []  # reasons of notices, and files that seemed edited
        self.fragile = False  # bytes that only an open descriptor holds are not sealed yet
        self.read_bytes = self.random.choice([64, 700, 4096, 512 * 1024])
        self.reader = Reader(self.server.live, read_bytes=self.read_bytes)

    # -- what the server and its administrator do ----------------------------------------------

    def write(self) -> None:
        """A few events, and now and then a line that is none or is very long."""
        for _ in range(self.random.choice([1, 1, 2, 5, 40])):
            self.number += 1
            pad = self.random.choice([0, 200, 900])
            line = event(self.number, self.server.tick(0.002), pad=pad)
            if self.random.random() < 0.1:
                line = b"%d no event\n" % self.number
            self.written += self.server.write(line)

    def write_partial(self) -> None:
        """The beginning of a line; whatever is written next ends it."""
        self.number += 1
        line = event(self.number, self.server.tick(0.002))
        self.written += self.server.write(line[: self.random.choice([1, 5, 80, 300])])

    def rotate(self) -> None:
        """As lumberjack does, sometimes with the clock set back before."""
        self.server.rotate()

    def compress(self) -> None:
        """One rotated file becomes a gzip file."""
        plain = [s.path for s in list_siblings(self.server.live) if not s.compressed]
        if plain:
            compress(self.random.choice(plain))

    def compress_half(self) -> None:
        """A gzip file beside its original, still incomplete."""
        plain = [s.path for s in list_siblings(self.server.live) if not s.compressed]
        if plain:
            path = self.random.choice(plain)
            path.with_name(path.name + ".gz").write_bytes(b"\x1f\x8b\x08\x00")

    def copytruncate(self) -> None:
        """Outside rotation by copy, with bytes that nobody has read yet."""
        if not self.server.live.exists():
            return
        self.settle()
        self.write()
        self.settle()
        unread = self.random.choice([self.write, self.write_partial, None])
        if unread is not None:
            unread()
        self.number += 1
        copytruncate(self.server.live, self.server.live.with_name(f"audit.log.{self.number}"))
        self.server.tick()

    def rename(self) -> None:
        """Outside rotation by rename: the server goes on writing to the renamed file."""
        self.settle()
        if not self.server.live.exists() or not identifies(self.server.live.read_bytes()[:1024]):
            return
        self.number += 1
        self.server.live.rename(self.server.live.with_name(f"audit.log.{self.number}"))
        self.server.tick()
        if self.random.random() < 0.5:
            self.server.live.touch()

    def unlink(self) -> None:
        """The live file is deleted; the server goes on writing to it."""
        self.settle()
        self.server.live.unlink(missing_ok=True)
        self.fragile = True

    def restart_server(self) -> None:
        """A new server process opens what the live path names."""
        self.server.restart()

    def remove_old(self) -> None:
        """Rotated files that were read are removed, and their inodes reused."""
        self.settle()
        current = self.reader.follower.current()
        for sibling in list_siblings(self.server.live):
            behind = current is None or current.stamp is None or sibling.stamp < current.stamp
            if behind and self.random.random() < 0.7:
                sibling.path.unlink()

    # -- what the daemon does --------------------------------------------------------------------

    def step(self) -> None:
        """A few reads."""
        for _ in range(self.random.choice([1, 2, 5])):
            self.reader.step()

    def drain(self) -> None:
        """All there is."""
        self.reader.drain()

    def seal(self) -> None:
        """A manifest: what was absorbed, and the position."""
        while not isinstance(self.reader.step(), Segment | None):
            pass  # a position is as old as the last look at the files
        archived = self.archived + self.reader.data
        if self.reader.position():
            self.sealed = archived, self.reader.position(), self.server.tick(0.001)
            self.server.tick(0.001)
            if archived == self.written and not self.server.writes_to_deleted():
                self.fragile = False

    def settle(self) -> None:
        """Everything is read and sealed."""
        self.drain()
        self.seal()

    def kill(self) -> None:
        """The daemon ends without a word and starts again from its newest manifest."""
        if self.fragile:
            return
        self.told += self.reader.reasons + [path.name for path in self.reader.changed]
        self.reader.close()
        self.archived, position, since = self.sealed
        self.reader = Reader(
            self.server.live, read_bytes=self.read_bytes, position=position, since=since
        )

    def finish(self) -> bytes:
        """All that was archived in the end."""
        self.written += self.server.write(b"the end\n")
        self.server.restart()
        self.written += self.server.write(b"the very end\n")
        self.drain()
        self.reader.time += SETTLE_SECONDS  # of a half gzip file whose original was removed
        self.drain()
        archived = self.archived + self.reader.data
        self.told += self.reader.reasons + [path.name for path in self.reader.changed]
        self.reader.close()
        self.server.stop()
        return archived


_OPERATIONS: list[tuple[Callable[[History], None], int]] = [
    (History.write, 6),
    (History.write_partial, 2),
    (History.rotate, 3),
    (History.compress, 2),
    (History.compress_half, 1),
    (History.copytruncate, 1),
    (History.rename, 1),
    (History.unlink, 1),
    (History.restart_server, 1),
    (History.remove_old, 1),
    (History.step, 3),
    (History.drain, 3),
    (History.seal, 3),
    (History.kill, 2),
]
_WEIGHTED = [operation for operation, weight in _OPERATIONS for _ in range(weight)]
_OUTSIDE = {History.copytruncate, History.rename, History.unlink, History.compress_half}
_ORDINARY = [operation for operation in _WEIGHTED if operation not in _OUTSIDE]

Operations = list[Callable[[History], None]]
_any_order = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _archive(operations: Operations, seed: int) -> History:
    with tempfile.TemporaryDirectory() as directory:
        history = History(Path(directory), seed)
        for operation in operations:
            operation(history)
        assert history.finish() == history.written
    return history


@_any_order
@given(st.lists(st.sampled_from(_WEIGHTED), min_size=5, max_size=40), st.integers(0, 2**32))
def test_any_history_comes_out_byte_for_byte(operations: Operations, seed: int) -> None:
    """Writes, rotations, gzip, outside rotation, restarts: the archive is what was written."""
    _archive(operations, seed)


@_any_order
@given(st.lists(st.sampled_from(_ORDINARY), min_size=5, max_size=40), st.integers(0, 2**32))
def test_the_ordinary_is_not_worth_a_word(operations: Operations, seed: int) -> None:
    """What the API server does itself never leads to a notice, nor does a restart of ours."""
    assert _archive(operations, seed).told == []
