"""The ship loop: the order in which objects go out, and how often checkpoints do."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.backoff import Backoff
from shipper.clock import SystemClock
from shipper.disk import Disk
from shipper.errors import SpoolError, StoreError
from shipper.logs import make_logger
from shipper.model import Agent, Batch, Timestamp
from shipper.pipeline.ahead import AHEAD_RECORDS
from shipper.pipeline.progress import Progress
from shipper.pipeline.ship import UNMARKED_RECORDS, Shipper
from shipper.seal.merkle import leaf_hash
from shipper.seal.sealer import Content, Head, seal
from shipper.seal.signer import FileSigner
from shipper.spool.spool import Spool
from shipper.store.base import Store, Stored
from shipper.store.memory import MemoryStore
from tests.store.faulty import VersionedStore

LOG = "audit-shipper/c/n/0123456789abcdef"
SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))


class Recording(MemoryStore):
    """Remembers the order of puts."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        stored = super().put(key, body)
        self.order.append(key.removeprefix("c/n/0123456789abcdef/"))
        return stored


class Clock(SystemClock):
    """Moves on by `step` seconds at each reading."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step, self.seconds = step, 0.0

    def now(self) -> Timestamp:
        self.seconds += self.step
        wall = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)
        return Timestamp(wall=wall, boot_id="b", monotonic_ns=round(self.seconds * 1e9))


def fill(spool: Spool, records: int) -> None:
    """A genesis, then batches of one line."""
    head, clock = Head(LOG), Clock(1)
    for number in range(records):
        line = b"%d" % number
        batch = Batch(
            compressed=line,
            raw_size=len(line) + 1,
            leaves=(leaf_hash(line),),
            unterminated=False,
            range=None,
            malformed_lines=1,
        )
        content = Content(kind="batch", batch=batch) if number else Content(kind="genesis")
        record, head = seal(
            head, content, now=clock.now(), agent=Agent("t", "0" * 64), signer=SIGNER
        )
        spool.commit(record)


def shipper_of(
    spool: Spool, store: Store, *, step: float = 0, checkpoint_every: float = 60
) -> Shipper:
    """A ship loop whose clock moves by `step` at each reading."""
    return Shipper(
        spool,
        store,
        log=LOG,
        key=SIGNER.key,
        checkpoint_every=checkpoint_every,
        clock=Clock(step),
        logger=make_logger(level="critical", form="json"),
        progress=Progress(),
        backoff=partial(Backoff, first=0.0001, limit=0.001),
    )


def ship(
    spool: Spool, *, step: float, checkpoint_every: float, store: Recording | None = None
) -> list[str]:
    """Ship everything and end; the keys in the order in which they were put."""
    store = store or Recording()

    async def life() -> None:
        shipper = shipper_of(spool, store, step=step, checkpoint_every=checkpoint_every)
        shipper.finish()
        await shipper.run()

    asyncio.run(life())
    assert spool.pending() == 0
    return store.order


def check_order(order: list[str]) -> None:
    """Data before its findings, both before their manifest, manifests by number, a checkpoint after
    all that it counts."""
    done: set[str] = set()
    manifests = 0
    for key in order:
        kind, name = key.split("/")[0], key.rpartition("/")[2]
        if kind == "manifest":
            assert int(name[:12]) == manifests
            assert manifests == 0 or name[:12] in done
            manifests += 1
        elif kind == "checkpoint":
            assert int(name[:12]) == manifests
        elif kind == "findings":
            assert name[:12] in done
            assert int(name[:12]) >= manifests
        elif kind == "events":
            assert int(name[:12]) < manifests + AHEAD_RECORDS
            done.add(name[:12])


def test_data_goes_before_manifest_before_checkpoint(tmp_path: Path) -> None:
    """A manifest in the store proves its data is there; a checkpoint, its manifests."""
    spool = Spool(tmp_path)
    fill(spool, 40)
    order = ship(spool, step=100, checkpoint_every=60)
    check_order(order)
    kinds = Counter(key.split("/")[0] for key in order)
    assert kinds == {"log.note": 1, "events": 39, "manifest": 40, "checkpoint": 40}


class Shaky(Recording):
    """Fails a share of the calls, half of them after it has stored the object."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.guard = threading.Lock()

    def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
        time.sleep(self.random.random() / 1000)
        with self.guard:
            if self.random.random() < 0.15:
                raise StoreError("503 SlowDown")
            known = key in self.objects
            stored = super().put(key, body)
            if known:
                self.order.pop()
            if self.random.random() < 0.15:
                raise StoreError("the acknowledgement was lost")
            return stored


@pytest.mark.parametrize("seed", range(5))
def test_the_order_holds_through_failures(tmp_path: Path, seed: int) -> None:
    """However uploads fail, overtake each other or lose their answers."""
    spool = Spool(tmp_path)
    fill(spool, 100)
    check_order(ship(spool, step=1, checkpoint_every=10, store=Shaky(seed)))


def test_data_runs_ahead_of_a_slow_chain(tmp_path: Path) -> None:
    """The data of the next records is uploaded while a manifest is on its way."""

    class SlowManifests(Recording):
        def put(self, key: str, body: bytes, *, sha256: str = "", again: bool = False) -> Stored:
            if "/manifest/" in key:
                time.sleep(0.005)
            return super().put(key, body)

    spool = Spool(tmp_path)
    fill(spool, 30)
    order = ship(spool, step=1, checkpoint_every=1000, store=SlowManifests())
    check_order(order)
    second = next(n for n, key in enumerate(order) if key.startswith("manifest/000000000001"))
    assert sum(key.startswith("events/") for key in order[:second]) > 5


class SlowDisk(Disk):
    """Takes its time to make names durable, and counts how often."""

    def __init__(self) -> None:
        self.syncs = 0

    def sync_directory(self, path: Path) -> None:
        self.syncs += 1
        time.sleep(0.05)


def test_one_fsync_marks_several_records(tmp_path: Path) -> None:
    """What is shipped while the spool marks what was shipped before is marked together."""
    before = Spool(tmp_path)
    fill(before, 40)
    before.close()
    disk = SlowDisk()
    ship(Spool(tmp_path, disk=disk), step=0, checkpoint_every=60)
    assert 0 < disk.syncs <= 20


def test_what_lies_before_a_damaged_record_is_shipped(tmp_path: Path) -> None:
    """The loop stops at the record that cannot be read, not before it."""
    spool = Spool(tmp_path)
    fill(spool, 6)
    (tmp_path / f"{4:012d}.data").write_bytes(b"?")
    store = Recording()
    with pytest.raises(SpoolError, match="000000000004 is damaged"):
        ship(spool, step=0, checkpoint_every=60, store=store)
    manifests = [key for key in store.order if key.startswith("manifest/")]
    assert [int(key[9:21]) for key in manifests] == [0, 1, 2, 3]


def test_checkpoints_are_rationed(tmp_path: Path) -> None:
    """At most one every `checkpoint_every`, and the last one at the end."""
    spool = Spool(tmp_path)
    fill(spool, 30)
    order = ship(spool, step=1, checkpoint_every=1000)
    checkpoints = [key for key in order if key.startswith("checkpoint")]
    assert [key[11:23] for key in checkpoints] == [f"{1:012d}", f"{30:012d}"]


def test_a_full_tile_brings_its_checkpoint(tmp_path: Path) -> None:
    """Bundle and tile follow the manifest that fills them, and a checkpoint of that size them."""
    spool = Spool(tmp_path)
    fill(spool, 258)
    order = ship(spool, step=0.001, checkpoint_every=1000)
    place = order.index("tile/entries/000")
    assert order[place - 1].startswith("manifest/000000000255-")
    assert order[place + 1] == "tile/0/000"
    assert order[place + 2].startswith("checkpoint/000000000256-")


def test_what_is_sealed_at_the_very_end_is_shipped(tmp_path: Path) -> None:
    """A record that is committed, just before the end, while earlier ones are marked goes out."""
    full = Spool(tmp_path / "full")
    fill(full, 3)

    class Late(Spool):
        def shipped(self, until: int) -> None:
            super().shipped(until)
            if until == 1:
                self.commit(full.load(2))
                loop.call_soon_threadsafe(shipper.finish)

    spool, store = Late(tmp_path / "late"), Recording()
    fill(spool, 2)
    loop = asyncio.new_event_loop()
    shipper = shipper_of(spool, store)
    loop.run_until_complete(shipper.run())
    loop.close()
    assert spool.pending() == 0
    assert sum(key.startswith("manifest/") for key in store.order) == 3


def test_the_most_that_a_stop_leaves_unmarked_is_looked_for(tmp_path: Path) -> None:
    """With as many records stored but unmarked, and as many ahead of them, as there may be, the
    next start uploads nothing a second time."""
    power_fails = threading.Event()

    class Stuck(Spool):
        def shipped(self, until: int) -> None:
            power_fails.wait(20)
            raise OSError("no power")

    async def stop_once_stuck(spool: Spool) -> None:
        shipping, seen = asyncio.create_task(shipper_of(spool, store).run()), -1
        while seen < len(store.objects):
            seen = len(store.objects)
            await asyncio.sleep(0.2)
        power_fails.set()
        shipping.cancel()
        await asyncio.wait({shipping})

    store, spool = VersionedStore(), Stuck(tmp_path)
    fill(spool, 60)
    asyncio.run(stop_once_stuck(spool))
    spool.close()
    left = Counter(key.split("/")[3] for key in store.objects)
    assert left["manifest"] == UNMARKED_RECORDS
    assert left["events"] >= UNMARKED_RECORDS + AHEAD_RECORDS - 2  # no genesis, and one was taken
    shipper = shipper_of(Spool(tmp_path), store)
    shipper.finish()
    asyncio.run(shipper.run())
    assert set(store.written.values()) == {1}
