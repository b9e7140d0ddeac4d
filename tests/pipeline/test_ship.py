"""The ship loop: the order in which objects go out, and how often checkpoints do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shipper.clock import SystemClock
from shipper.logs import make_logger
from shipper.model import Agent, Batch, Timestamp
from shipper.pipeline.progress import Progress
from shipper.pipeline.ship import Shipper
from shipper.seal.merkle import leaf_hash
from shipper.seal.sealer import Content, Head, seal
from shipper.seal.signer import FileSigner
from shipper.spool.spool import Spool
from shipper.store.memory import MemoryStore

LOG = "audit-shipper/c/n/0123456789abcdef"
SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))


class Recording(MemoryStore):
    """Remembers the order of puts."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def put(self, key: str, body: bytes) -> None:
        super().put(key, body)
        self.order.append(key.removeprefix("c/n/0123456789abcdef/"))


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


def ship(spool: Spool, *, step: float, checkpoint_every: float) -> list[str]:
    """Ship everything and end; the keys in the order in which they were put."""
    store = Recording()
    shipper = Shipper(
        spool,
        store,
        log=LOG,
        checkpoint_every=checkpoint_every,
        clock=Clock(step),
        logger=make_logger(level="error", form="json"),
        progress=Progress(),
    )
    shipper.finish()
    asyncio.run(shipper.run())
    assert spool.pending() == 0
    return store.order


def test_data_goes_before_manifest_before_checkpoint(tmp_path: Path) -> None:
    """A manifest in the store proves its data is there; a checkpoint, its manifests."""
    spool = Spool(tmp_path)
    fill(spool, 5)
    order = ship(spool, step=100, checkpoint_every=60)
    kinds = [key.split("/")[0] for key in order]
    assert kinds == [
        "log.note", "manifest", "checkpoint",
        *["events", "manifest", "checkpoint"] * 4,
    ]  # fmt: skip
    for kind in ("events", "manifest", "checkpoint"):
        names = [key.rsplit("/", 1)[1] for key in order if key.startswith(kind)]
        assert names == sorted(names)


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
