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
from shipper.errors import StoreError
from shipper.logs import make_logger
from shipper.model import Agent, Batch, Timestamp
from shipper.pipeline.ahead import AHEAD_RECORDS
from shipper.pipeline.progress import Progress
from shipper.pipeline.ship import Shipper
from shipper.seal.merkle import leaf_hash
from shipper.seal.sealer import Content, Head, seal
from shipper.seal.signer import FileSigner
from shipper.spool.spool import Spool
from shipper.store.base import Stored
from shipper.store.memory import MemoryStore

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


def ship(
    spool: Spool, *, step: float, checkpoint_every: float, store: Recording | None = None
) -> list[str]:
    """Ship everything and end; the keys in the order in which they were put."""
    store = store or Recording()

    async def life() -> None:
        shipper = Shipper(
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
        shipper.finish()
        await shipper.run()

    asyncio.run(life())
    assert spool.pending() == 0
    return store.order


def check_order(order: list[str]) -> None:
    """Data before its manifest, manifests by number, a checkpoint after all that it counts."""
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
