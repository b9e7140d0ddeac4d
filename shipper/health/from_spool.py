"""How a daemon stands by what it left in its spool. Needs no help of it and changes nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import structs

from shipper.config import Config
from shipper.errors import SpoolError
from shipper.health.judge import troubles
from shipper.health.status import Receiver, Status
from shipper.model import Manifest
from shipper.seal import note
from shipper.seal.manifest import decode_manifest, text_hash
from shipper.spool import record
from shipper.spool.spool import TROUBLE, inspect
from shipper.tell import outbox


def read_spool(config: Config, *, silence: str | None, now: datetime) -> Status:
    """What the spool says; `SpoolError` if it has no record yet, or cannot be read.

    `silence`: why the daemon does not answer; None if it was not asked.
    """
    spool = Path(config.spool.path)
    try:
        return _read(spool, config, silence=silence, now=now)
    except OSError as error:
        raise SpoolError(
            f"the spool {spool} cannot be read: {error.strerror}",
            remedy="ask as root or as the daemon's user",
        ) from error


def _read(spool: Path, config: Config, *, silence: str | None, now: datetime) -> Status:
    sealed, shipped, size = inspect(spool) if spool.is_dir() else ([], [], 0)
    if not sealed and not shipped:
        raise SpoolError(f"the spool {spool} has no record yet", remedy="start the daemon")
    newest = sealed[-1] if sealed else shipped[-1]
    manifest, digest = _manifest(spool, newest)
    oldest = _manifest(spool, sealed[0])[0].time.wall if sealed else now
    rules = manifest.agent.rules_sha256
    trouble = _trouble(spool)
    status = Status(
        version=manifest.agent.version,
        log=manifest.log,
        running=None if silence is None else False,
        silence=silence or "",
        source=config.source.path,
        head_seq=newest,
        head_sha256=digest,
        sealed_at=manifest.time.wall,
        sealed_seconds_ago=(now - manifest.time.wall).total_seconds(),
        heartbeat_seconds=float(config.batch.heartbeat),
        pending_records=len(sealed),
        oldest_pending_seconds=(now - oldest).total_seconds(),
        spool_bytes=size,
        spool_limit_bytes=int(config.spool.max_bytes),
        store=config.store.url,
        store_state="failing" if trouble else "ok",
        store_trouble=trouble,
        shipped_seq=sealed[0] - 1 if sealed else newest,
        config_sha256=manifest.agent.config_sha256,
        rules_sha256=rules if isinstance(rules, str) else "",
        alerts={one.name: _receiver(one) for one in outbox.inspect(spool)},
    )
    return structs.replace(status, troubles=troubles(status))


def _receiver(one: outbox.Waiting) -> Receiver:
    return Receiver(
        told=one.cursor.told,
        held_back=one.cursor.held_back,
        dead=one.cursor.dead,
        pending_records=one.records,
        trouble=one.trouble,
    )


def _trouble(spool: Path) -> str:
    """What the daemon last said of the store; empty if all was well."""
    try:
        return (spool / TROUBLE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _manifest(spool: Path, seq: int) -> tuple[Manifest, str]:
    for suffix in ("sealed", "shipped"):
        name = f"{seq:012d}.{suffix}"
        try:
            body = (spool / name).read_bytes()
        except FileNotFoundError:
            continue
        text = note.parse(record.decode(body, name=name).manifest.body).text
        return decode_manifest(text), text_hash(text)
    raise SpoolError(f"record {seq} left the spool just now", remedy="ask again")
