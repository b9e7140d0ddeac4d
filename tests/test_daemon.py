"""The daemon as a whole: restarts, a full spool, a dead store, a stepping clock, lost files."""

from __future__ import annotations

import asyncio
import gzip
import math
import random
import shutil
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from msgspec import structs

from shipper.app import App
from shipper.audit.follow import READ_BYTES
from shipper.clock import SystemClock
from shipper.config import Size
from shipper.errors import ConfigError, ConflictError, SourceError, SpoolError, StoreError
from shipper.logs import make_logger
from shipper.model import Manifest, Timestamp
from shipper.pipeline.progress import Progress
from shipper.seal import note
from shipper.seal.manifest import decode_manifest
from shipper.seal.signer import generate
from shipper.spool.spool import inspect
from shipper.store.base import Stored
from shipper.store.memory import MemoryStore
from tests.daemon import Place, with_batch


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def manifests(place: Place) -> list[Manifest]:
    """All manifests in the archive in order of sequence (one log)."""
    paths = sorted(place.archive.glob("*/*/*/manifest/*"), key=lambda path: path.name)
    return [decode_manifest(note.parse(path.read_bytes()).text) for path in paths]


def kinds(place: Place) -> list[str]:
    return [manifest.kind for manifest in manifests(place)]


def notices(place: Place) -> list[str]:
    return [manifest.notice.reason for manifest in manifests(place) if manifest.notice]


def test_once_archives_what_is_there(place: Place) -> None:
    """Lines and a torn last line, byte for byte, between a genesis and a shutdown."""
    place.log.write_bytes(b"one\ntwo\ntorn")
    assert place.once() == 0
    assert place.archived() == b"one\ntwo\ntorn"
    assert kinds(place) == ["genesis", "batch", "shutdown"]
    torn = manifests(place)[1].data
    assert torn is not None
    assert torn.unterminated


def test_a_second_run_goes_on(place: Place) -> None:
    """The chain, the position and a torn line are continued; nothing is read twice."""
    place.log.write_bytes(b"one\ntor")
    place.once()
    with place.log.open("ab") as log:
        log.write(b"n\ntwo\n")
    assert place.once() == 0
    assert place.archived() == b"one\ntorn\ntwo\n"
    assert [manifest.seq for manifest in manifests(place)] == list(range(len(manifests(place))))


def test_nothing_new_is_nothing_twice(place: Place) -> None:
    """A run over the same log seals no data again."""
    place.log.write_bytes(b"one\n")
    place.once()
    place.once()
    assert place.archived() == b"one\n"
    assert kinds(place) == ["genesis", "batch", "shutdown", "shutdown"]


def test_rotated_files_come_first(place: Place) -> None:
    """Plain and gzipped siblings in the order of their time, then the live file."""
    beside = place.log.parent
    (beside / "audit-2026-01-01T00-00-00.000.log.gz").write_bytes(gzip.compress(b"a\n"))
    (beside / "audit-2026-01-02T00-00-00.000.log").write_bytes(b"b\n")
    place.log.write_bytes(b"c\n")
    assert place.once() == 0
    assert place.archived() == b"a\nb\nc\n"


def test_a_line_longer_than_the_buffer_is_kept_exactly(place: Place) -> None:
    """40 MB in one line come back byte for byte, in pieces that say so."""
    line = random.Random(7).randbytes(1 << 20).replace(b"\n", b" ") * 40 + b"\n"
    place.log.write_bytes(b"before\n" + line + b"after\n")
    assert place.once() == 0
    assert place.archived() == b"before\n" + line + b"after\n"
    pieces = [m.data for m in manifests(place) if m.data and m.data.unterminated]
    assert len(pieces) >= 2


def test_start_at_end_skips_what_was_there(place: Place) -> None:
    """The very first start begins behind the last newline; a restart loses nothing after that."""
    place.log.write_bytes(b"old\nhalf")
    config = place.config(source={"start_at": "end"})
    place.once(config=config)
    with place.log.open("ab") as log:
        log.write(b" a line\nnew\n")
    place.once(config=config)
    assert place.archived() == b"half a line\nnew\n"


class Down(MemoryStore):
    """A store that does not answer the first `failures` puts."""

    def __init__(self, failures: float = math.inf) -> None:
        super().__init__()
        self.failures = failures

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        self.failures -= 1
        if self.failures >= 0:
            raise StoreError("connection refused")
        return super().put(key, body)

    def under(self, folder: str) -> list[bytes]:
        """Bodies of the log's objects in `folder`, in order of sequence."""
        keys = [key for key in self.objects if key.split("/")[3] == folder]
        return [self.objects[key] for key in sorted(keys, key=lambda key: key.split("/")[-1])]


def test_once_with_the_store_down(place: Place) -> None:
    """Exit 3 after the drain time, everything in the spool; the next run ships it all."""
    place.log.write_bytes(b"one\n")
    store = Down()
    config = place.config(shutdown={"drain": "300ms"})
    assert place.once(config=config, store=store) == 3
    assert store.objects == {}
    assert "store_failed" in place.said.getvalue()
    store.failures = 0
    assert place.once(config=config, store=store) == 0
    assert len(store.under("events")) == 1


def test_a_lost_acknowledgement_is_no_loss(place: Place) -> None:
    """Puts that were done but reported failed are repeated and found done."""

    class Liar(MemoryStore):
        def __init__(self) -> None:
            super().__init__()
            self.lied: set[str] = set()

        def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
            super().put(key, body)
            if key not in self.lied:
                self.lied.add(key)
                raise StoreError("connection reset")
            return Stored()

    place.log.write_bytes(b"one\n")
    store = Liar()
    assert place.once(store=store) == 0
    assert store.lied == set(store.objects)


def test_a_conflict_stops_shipping_loudly(place: Place) -> None:
    """Other bytes under a key of ours: nothing is replaced, the run ends with the error."""

    class Taken(MemoryStore):
        def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
            super().put(key, b"theirs" if "/manifest/" in key else body)
            return super().put(key, body)

    place.log.write_bytes(b"one\n")
    with pytest.raises(ConflictError, match="other bytes"):
        place.once(store=Taken())
    sealed, shipped, _ = inspect(place.spool)
    assert sealed == [0, 1, 2]
    assert shipped == []


def test_a_fault_of_the_ship_loop_ends_the_daemon(place: Place) -> None:
    """It does not seal on for ever and ship nothing: it ends, and can be started anew."""

    class Buggy(MemoryStore):
        def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
            raise ZeroDivisionError("a bug")

    place.log.write_bytes(b"one\n")
    with pytest.raises(ZeroDivisionError, match="a bug"):
        place.once(store=Buggy(), once=False)
    assert place.once() == 0
    assert place.archived() == b"one\n"


def test_a_full_spool_stops_reading_and_says_so(place: Place) -> None:
    """At `spool.max_bytes` nothing more is read; when it goes on, a notice is sealed."""
    noise = random.Random(1)
    lines = [noise.randbytes(3000).hex().encode() + b"\n" for _ in range(800)]
    place.log.write_bytes(b"".join(lines))
    config = with_batch(
        place.config(spool={"path": str(place.spool), "max_bytes": "1MiB"}), max_bytes=Size(200_000)
    )
    store = Down(failures=4)
    assert place.once(config=config, store=store) == 0
    noted = [decode_manifest(note.parse(body).text) for body in store.under("manifest")]
    assert "spool-full" in [m.notice.reason for m in noted if m.notice]
    events = [zstandard.decompress(body, max_output_size=300_000) for body in store.under("events")]
    assert b"".join(events) == b"".join(lines)


def test_once_that_is_stopped_before_the_end_says_so(place: Place) -> None:
    """Code 3: a script must not take the log for archived. The next run archives the rest."""
    place.log.write_bytes(b"one\ntorn")
    progress = Progress()
    app = App(
        place.config(),
        once=True,
        logger=make_logger(level="critical", form="json"),
        progress=progress,
        settle_seconds=60,
    )

    async def stopped() -> int:
        life = asyncio.create_task(app.run())
        while not progress.bytes_read:  # noqa: ASYNC110 what is counted rings no bell
            await asyncio.sleep(0.01)
        app.stop()
        return await life

    assert asyncio.run(stopped()) == 3
    assert place.archived() == b"one\n"
    assert place.once() == 0
    assert place.archived() == b"one\ntorn"


def test_a_full_spool_with_the_store_down_ends(place: Place) -> None:
    """`--once` gives up after the drain time; what was not read is read by the next run."""
    lines = random.Random(2).randbytes(3_000_000).replace(b"\n", b"") + b"\n"
    text = b"\n".join(lines[n : n + 5000] for n in range(0, len(lines), 5000))
    place.log.write_bytes(text)
    limits = {"path": str(place.spool), "max_bytes": "1MiB"}
    config = with_batch(
        place.config(spool=limits, shutdown={"drain": "300ms"}), max_bytes=Size(200_000)
    )
    assert place.once(config=config, store=Down()) == 3
    # The limit, one read that was under way, and the small files beside the data.
    assert inspect(place.spool)[2] < 2**20 + READ_BYTES + 2**18
    assert place.once(config=place.config()) == 0
    assert place.archived() == text


class SteppingClock(SystemClock):
    """The wall clock is set back by an hour after `calls` readings."""

    def __init__(self, calls: int, hours: float) -> None:
        super().__init__()
        self.calls, self.step = calls, timedelta(hours=hours)

    def now(self) -> Timestamp:
        self.calls -= 1
        now = super().now()
        return now if self.calls > 0 else structs.replace(now, wall=now.wall + self.step)


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("calls", range(1, 30, 4))
def test_a_clock_step_is_sealed(place: Place, calls: int, hours: float) -> None:
    """A wall clock that jumps is a notice, and the archive still verifies."""
    place.log.write_bytes(b"".join(b"%d\n" % n for n in range(30)))
    config = with_batch(place.config(), max_bytes=Size(20))
    assert place.once(config=config, clock=SteppingClock(calls, hours)) == 0
    stepped = [m.time.wall for m in manifests(place)]
    jumped = any(abs((b - a).total_seconds()) > 1 for a, b in pairwise(stepped))
    assert ("clock-step" in notices(place)) == jumped
    assert place.verify() == 0


def test_a_lost_spool_is_superseded(place: Place) -> None:
    """A node whose spool is gone begins a new instance that names the old head and goes on at
    its position: nothing lost, nothing twice."""
    place.log.write_bytes(b"one\n")
    place.once()
    shutil.rmtree(place.spool)
    with place.log.open("ab") as log:
        log.write(b"two\n")
    assert place.once() == 0
    assert place.archived() == b"one\ntwo\n"
    assert place.verify() == 0
    genesis = [m for m in manifests(place) if m.supersedes]
    assert [m.seq for m in genesis] == [0]


def test_another_configuration_is_sealed(place: Place) -> None:
    """A changed configuration is a notice in the record."""
    place.log.write_bytes(b"one\n")
    place.once()
    place.once(config=place.config(batch={"max_age": "1s"}))
    assert notices(place) == ["config-changed"]


def test_edits_behind_the_reader_are_sealed(place: Place) -> None:
    """A file changed while the daemon was away is a notice; the archive keeps what was read."""
    place.log.write_bytes(b"x" * 2000 + b"\nevil\n")
    place.once()
    place.log.write_bytes(b"x" * 2000 + b"\ngood\nmore\n")
    place.once()
    assert notices(place) == ["source-edited"]
    assert place.archived() == b"x" * 2000 + b"\nevil\nmore\n"
    assert place.verify() == 0


def test_a_vanished_file_is_a_gap(place: Place) -> None:
    """Where the position cannot be found again, the record says what is missing: verify says 4."""
    place.log.write_bytes(b"one\n")
    place.once()
    place.log.unlink()
    place.log.write_bytes(b"other\n")
    place.once()
    assert "gap" in notices(place)
    assert place.verify() == 4


def test_a_foreign_spool_is_refused(place: Place) -> None:
    """A spool of another node or key is one clear error, and nothing is written to it."""
    place.log.write_bytes(b"one\n")
    place.once()
    with pytest.raises(SpoolError, match=r"belongs to the log .*c1/n1"):
        place.once(config=place.config(log={"cluster": "c1", "node": "n2"}))
    place.key.unlink()
    place.public.unlink()
    generate(place.key)
    with pytest.raises(SpoolError, match="not signed by the key"):
        place.once()


def test_a_key_that_others_can_read_is_refused(place: Place) -> None:
    """Mode 0640 is an error that says what to do."""
    place.key.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 0600"):
        place.once()


def test_a_missing_log_is_said_with_once(place: Place) -> None:
    """`--once` on a path where nothing is ends with an error, not with an empty success."""
    with pytest.raises(SourceError, match="no audit log at"):
        place.once()
