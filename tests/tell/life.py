"""A daemon's sealing and telling, without its reading: record by record, each with one finding."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

from msgspec import structs

from shipper.clock import SystemClock
from shipper.disk import Disk
from shipper.model import Agent, Batch
from shipper.pipeline.progress import Progress
from shipper.pipeline.recorder import Recorder
from shipper.pipeline.start import new_instance, resume
from shipper.seal import note
from shipper.seal.manifest import text_hash
from shipper.seal.merkle import leaf_hash
from shipper.seal.sealer import Content
from shipper.seal.signer import FileSigner
from shipper.spool import record
from shipper.spool.spool import Spool
from shipper.tell.open import open_alerts
from tests.daemon import Place
from tests.tell.support import Got, Said, finding, receivers

INSTANCE = "0123456789abcdef"


def content(seq: int, *, calm: bool) -> Content:
    """A batch of one line and, unless all is calm, what a rule says of it."""
    line = b"%d" % seq
    batch = Batch(
        compressed=line,
        raw_size=len(line) + 1,
        leaves=(leaf_hash(line),),
        unterminated=False,
        range=None,
        malformed_lines=1,
    )
    findings = () if calm else (finding(line=seq, severity="critical"),)
    return Content(kind="batch", batch=batch, findings=findings)


async def live(
    place: Place, url: str, *, records: int, calm: bool = False, disk: Disk | None = None
) -> Said:
    """From wherever the spool left off to `records` records; then drain, or die with the disk."""
    said, loop = Said(), asyncio.get_running_loop()
    section = {"type": "webhook", "name": "soc", "url": url}
    config = structs.replace(place.config(), alerts=receivers(section))
    signer = FileSigner.load(place.key)
    spool = Spool(place.spool, disk=disk)
    try:
        start = resume(spool, config, signer.key) or new_instance(config, INSTANCE, None)
        outbox, dispatcher = open_alerts(
            config.alerts,
            place.spool,
            newest=spool.newest(),
            clock=SystemClock(),
            logger=said.logger,
            disk=disk,
        )
        recorder = Recorder(
            spool,
            start,
            agent=Agent("test", "0" * 64),
            signer=signer,
            lock_required=True,
            clock=SystemClock(),
            logger=said.logger,
            progress=Progress(),
            committed=lambda seq: loop.call_soon_threadsafe(dispatcher.committed, seq),
            disk_patience=1.0,
            outbox=outbox,
        )
        telling = asyncio.create_task(dispatcher.run())
        try:
            while recorder.next_seq < records:
                await asyncio.to_thread(recorder.record, content(recorder.next_seq, calm=calm))
        except BaseException:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
            raise
        await dispatcher.drain(telling, within_seconds=10)
    finally:
        spool.close()
    return said


class Witness:
    """What the receiver was told, held against what lies in the spool at that moment."""

    def __init__(self, spool: Path) -> None:
        self.spool = spool
        self.told: Counter[int] = Counter()
        self.wrong: list[str] = []

    def hear(self, got: Got) -> None:
        """Call for each request."""
        for alert in json.loads(got.body)["data"]["alerts"]:
            seq = alert["evidence"]["seq"]
            self.told[seq] += 1
            if alert["evidence"]["manifest_sha256"] != self.sealed(seq):
                self.wrong.append(f"record {seq} is not what its alert says")

    def sealed(self, seq: int) -> str:
        """The hash of the manifest of record `seq`; empty if there is none."""
        path = self.spool / f"{seq:012d}.sealed"
        if not path.exists():
            return ""
        body = record.decode(path.read_bytes(), name=path.name).manifest.body
        return text_hash(note.parse(body).text)
