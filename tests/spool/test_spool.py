"""The spool keeps what it was given, in order, through crashes and refusals of the disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import structs

from shipper.errors import SpoolError
from shipper.model import Record, StoredObject
from shipper.spool.spool import TROUBLE, Spool, inspect
from tests.faults import Crash, Fault, FaultyDisk


def record(seq: int, *, data: bytes = b"events", after: bytes = b"", keep_from: int = 0) -> Record:
    return Record(
        seq=seq,
        keep_from=keep_from,
        before=(StoredObject(f"events/{seq}", data),) if data else (),
        manifest=StoredObject(f"manifest/{seq}", b"manifest %d" % seq),
        after=(StoredObject(f"tile/{seq}", after),) if after else (),
        checkpoint=StoredObject(f"checkpoint/{seq}", b"checkpoint %d" % seq),
        tree=((b"x" * 32,),),
    )


def without_hashes(loaded: Record) -> Record:
    return structs.replace(
        loaded,
        before=tuple(structs.replace(one, sha256="") for one in loaded.before),
        after=tuple(structs.replace(one, sha256="") for one in loaded.after),
    )


def test_a_record_comes_back_whole_after_a_restart(tmp_path: Path) -> None:
    """What was committed is loaded, bodies and all, by the next process."""
    spool = Spool(tmp_path / "spool")
    spool.commit(record(0, after=b"tile"))
    spool.close()
    again = Spool(tmp_path / "spool")
    assert (again.newest(), again.oldest_pending(), again.pending()) == (0, 0, 1)
    loaded = again.load(0)
    bodies = [*loaded.before, *loaded.after]
    assert [one.sha256 for one in bodies] == [sha256(one.body).hexdigest() for one in bodies]
    assert without_hashes(loaded) == record(0, after=b"tile")


def test_many_are_marked_at_once(tmp_path: Path) -> None:
    """One call marks all up to a number, and drops what they alone needed."""
    spool = Spool(tmp_path)
    for seq in range(5):
        spool.commit(record(seq, keep_from=seq))
    spool.shipped(3)
    assert (spool.pending(), spool.oldest_pending()) == (1, 4)
    assert inspect(tmp_path)[:2] == ([4], [])
    assert not list(tmp_path.glob("00000000000[0-3].data"))


@pytest.mark.parametrize("marked", [0, 1, 2])
def test_marks_may_reach_the_disk_out_of_order(tmp_path: Path, marked: int) -> None:
    """A power loss keeps any of the renames of one marking: none of the records is shipped twice
    that lies below one that is known to be shipped."""
    spool = Spool(tmp_path)
    for seq in range(4):
        spool.commit(record(seq))
    spool.close()
    (tmp_path / f"{marked:012d}.sealed").rename(tmp_path / f"{marked:012d}.shipped")
    again = Spool(tmp_path)
    assert (again.oldest_pending(), again.pending()) == (marked + 1, 3 - marked)
    assert without_hashes(again.load(3)) == record(3)


def test_what_is_wrong_with_the_store_is_left_for_others(tmp_path: Path) -> None:
    """`status` reads the word without the lock; it goes when nothing is wrong any more."""
    spool = Spool(tmp_path)
    spool.tell("it burns")
    assert (tmp_path / TROUBLE).read_text() == "it burns\n"
    spool.tell("")
    spool.tell("")
    assert not (tmp_path / TROUBLE).exists()


def test_the_newest_record_never_leaves(tmp_path: Path) -> None:
    """An empty queue still knows its head, though its data are gone."""
    spool = Spool(tmp_path)
    spool.commit(record(0))
    spool.shipped(0)
    spool.close()
    again = Spool(tmp_path)
    assert again.newest() == 0
    assert again.oldest_pending() is None
    assert again.kept(0).manifest.body == b"manifest 0"
    assert not list(tmp_path.glob("*.data"))


def test_shipped_records_stay_until_their_bundle_is_full(tmp_path: Path) -> None:
    """Manifests from `keep_from` on are kept; those before it go."""
    spool = Spool(tmp_path)
    for seq in range(4):
        spool.commit(record(seq, keep_from=2 if seq == 3 else 0))
    for seq in range(4):
        spool.shipped(seq)
    assert [spool.kept(seq).seq for seq in (2, 3)] == [2, 3]
    with pytest.raises(SpoolError, match="lacks record 1"):
        spool.kept(1)


def test_the_size_counts_what_lies_there(tmp_path: Path) -> None:
    """`size_bytes` is the sum of the files, before and after shipping and after a restart."""
    spool = Spool(tmp_path)
    spool.commit(record(0, data=b"x" * 5000))
    spool.commit(record(1, data=b""))
    full = spool.size_bytes
    spool.shipped(0)
    assert spool.size_bytes == full - 5000
    spool.close()
    assert Spool(tmp_path).size_bytes == full - 5000
    assert inspect(tmp_path) == ([1], [0], full - 5000)


def test_a_second_daemon_is_kept_off(tmp_path: Path) -> None:
    """The lock refuses a second spool on the same directory and says what to do."""
    spool = Spool(tmp_path)
    with pytest.raises(SpoolError, match="another audit-shipper"):
        Spool(tmp_path)
    spool.close()
    Spool(tmp_path).close()


@pytest.mark.parametrize("suffix", ["sealed", "data"])
def test_a_damaged_record_is_named(tmp_path: Path, suffix: str) -> None:
    """A flipped byte on the spool's disk is an error that names the record and the remedy."""
    spool = Spool(tmp_path)
    spool.commit(record(0))
    path = tmp_path / f"000000000000.{suffix}"
    path.write_bytes(b"!" + path.read_bytes()[1:])
    with pytest.raises(SpoolError, match=r"000000000000.*damaged.*move it away"):
        spool.load(0)


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    """A file in the way of the spool is reported with the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="cannot be used"):
        Spool(tmp_path / "file" / "spool")


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Audit events are private: 0700 and 0600."""
    spool = Spool(tmp_path / "spool")
    spool.commit(record(0))
    assert (tmp_path / "spool").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "spool").iterdir())


@pytest.mark.parametrize("fault", get_args(Fault))
def test_every_step_may_fail(tmp_path: Path, fault: Fault) -> None:
    """Whatever step stops or refuses, all commits that returned are there, whole and in order."""
    step = 0
    while True:
        path = tmp_path / f"{fault}-{step}"
        disk = FaultyDisk(step, fault)
        committed: list[int] = []
        shipped: list[int] = []
        try:
            _faulty_life(path, disk, committed, shipped)
        except (Crash, SpoolError):
            disk.dead = True
        if not disk.reached:
            break
        spool = Spool(path)
        newest = spool.newest()
        pending = range(newest + 1 if newest is not None else 0)
        assert set(committed) <= set(pending)
        oldest = spool.oldest_pending()
        waiting = range(oldest, len(pending)) if oldest is not None else range(0)
        assert not set(waiting) & set(shipped)
        for seq in waiting:
            assert spool.load(seq).manifest.body == b"manifest %d" % seq
        assert newest is None or spool.kept(newest).seq == newest
        assert not list(path.glob(".*.tmp"))
        spool.close()
        step += 1
    assert step > 10


def _faulty_life(path: Path, disk: FaultyDisk, committed: list[int], shipped: list[int]) -> None:
    spool = Spool(path, disk=disk)
    try:
        for seq in range(3):
            one = record(seq, data=b"" if seq == 1 else b"events %d" % seq)
            _twice(lambda one=one: spool.commit(one))  # type: ignore[misc]
            committed.append(seq)
        for seq in range(3):
            _twice(lambda seq=seq: spool.shipped(seq))  # type: ignore[misc]
            shipped.append(seq)
    finally:
        spool.close()


def _twice(call: Callable[[], None]) -> None:
    """As the daemon does: what the disk refused is tried again."""
    try:
        call()
    except OSError:
        call()


class SpoolMachine(RuleBasedStateMachine):
    """The spool against a list, with restarts and crashes at any moment."""

    @initialize()
    def begin(self) -> None:
        self.path = Path(tempfile.mkdtemp())
        self.spool = Spool(self.path)
        self.bodies: list[bytes] = []
        self.done = 0

    @rule(body=st.binary(max_size=40))
    def commit(self, body: bytes) -> None:
        seq = len(self.bodies)
        self.spool.commit(record(seq, data=body, keep_from=seq - seq % 4))
        self.bodies.append(body)

    @precondition(lambda self: self.done < len(self.bodies))
    @rule()
    def ship(self) -> None:
        assert self.spool.oldest_pending() == self.done
        loaded = self.spool.load(self.done)
        assert b"".join(stored.body for stored in loaded.before) == self.bodies[self.done]
        self.spool.shipped(self.done)
        self.done += 1

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.spool = Spool(self.path)

    @rule(step=st.integers(0, 3), fault=st.sampled_from(["before", "inside"]))
    def crash_in_commit(self, step: int, fault: Fault) -> None:
        """A commit that stops before its rename never happened."""
        self.spool.close()
        seq = len(self.bodies)
        crashing = Spool(self.path, disk=FaultyDisk(step + 1, fault))  # the first is the opening's
        happened = False
        try:
            crashing.commit(record(seq, data=b"x"))
            happened = True
        except Crash:
            happened = (self.path / f"{seq:012d}.sealed").exists()
        crashing.close()
        if happened:
            self.bodies.append(b"x")
        self.spool = Spool(self.path)

    @invariant()
    def agrees(self) -> None:
        waiting = len(self.bodies) - self.done
        assert self.spool.pending() == waiting
        assert self.spool.newest() == (len(self.bodies) - 1 if self.bodies else None)
        with os.scandir(self.path) as entries:
            sizes = sum(e.stat().st_size for e in entries if e.name != "lock")
        assert self.spool.size_bytes == sizes

    def teardown(self) -> None:
        self.spool.close()
        shutil.rmtree(self.path)


TestSpoolMachine = SpoolMachine.TestCase
TestSpoolMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


def test_status_looks_on_while_files_go(tmp_path: Path) -> None:
    """A file that is listed, and gone before its size is asked for, is no error."""
    (tmp_path / "000000000001.sealed").write_bytes(b"12345")
    (tmp_path / "000000000000.data").symlink_to("shipped-and-removed")
    assert inspect(tmp_path) == ([1], [], 5)
