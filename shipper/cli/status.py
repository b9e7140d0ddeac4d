"""`status`: what the spool says, without the daemon's help and without changing anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from shipper import config as configuration
from shipper.cli.options import config_option
from shipper.errors import SpoolError
from shipper.model import Manifest
from shipper.seal import note
from shipper.seal.manifest import decode_manifest, text_hash
from shipper.spool import record
from shipper.spool.spool import TROUBLE, inspect
from shipper.tell import outbox


@click.command()
@config_option
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(config_path: Path, output: str) -> None:
    """Print what is sealed, what waits for the store and for whom, and the head of the log.

    Exit code 3 if there is no record yet.
    """
    found = _status(Path(configuration.load(config_path).spool.path))
    if output == "json":
        click.echo(json.dumps(found))
        return
    receivers = found.pop("alerts")
    for name, value in found.items():
        click.echo(f"{name.replace('_', ' '):24} {value}")
    for name, state in receivers.items():
        line = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in state.items())
        click.echo(f"{f'alerts {name}':24} {line}")


def _status(spool: Path) -> dict[str, Any]:
    sealed, shipped, size = inspect(spool)
    if not sealed and not shipped:
        raise SpoolError(f"the spool {spool} has no record yet", remedy="start the daemon")
    newest = sealed[-1] if sealed else shipped[-1]
    manifest, digest = _manifest(spool, newest)
    now = datetime.now(UTC)
    oldest = _manifest(spool, sealed[0])[0].time.wall if sealed else None
    return {
        "log": manifest.log,
        "head_seq": newest,
        "head_sha256": digest,
        "sealed_at": manifest.time.wall.isoformat(),
        "sealed_seconds_ago": round((now - manifest.time.wall).total_seconds(), 1),
        "pending_records": len(sealed),
        "oldest_pending_seconds": round((now - oldest).total_seconds(), 1) if oldest else 0,
        "spool_bytes": size,
        "store_trouble": _trouble(spool),
        "alerts": {receiver.name: _receiver(receiver) for receiver in outbox.inspect(spool)},
    }


def _receiver(receiver: outbox.Waiting) -> dict[str, Any]:
    """Alerts are counted since the receiver was first configured."""
    cursor = receiver.cursor
    return {
        "told": cursor.told,
        "held_back": cursor.held_back,
        "dead": cursor.dead,
        "pending_records": receiver.records,
        "trouble": receiver.trouble,
    }


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
