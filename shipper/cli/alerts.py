"""`alerts`: does everybody who is to be told answer?"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from shipper import config as configuration
from shipper.cli.options import config_option
from shipper.config import Config
from shipper.errors import ConfigError, ShipperError
from shipper.receivers import Receiver
from shipper.seal import layout
from shipper.tell import forms
from shipper.tell.attempt import attempt
from shipper.tell.http import Http
from shipper.tell.sample import sample


@click.group()
def alerts() -> None:
    """Try the receivers of alerts."""


@alerts.command("test")
@config_option
@click.option("--receiver", "name", metavar="NAME", help="This receiver alone.")
def test(config_path: Path, name: str | None) -> None:
    """Send a sample, marked as a test, to each receiver, and say what became of it.

    Each is tried once; filters and limits do not count. Exit code 0 if all took it, else 3.
    """
    config = configuration.load(config_path)
    outcomes = asyncio.run(_send(_chosen(config, name), _log(config)))
    if not all(outcomes):
        raise SystemExit(ShipperError.exit_code)


def _chosen(config: Config, name: str | None) -> list[Receiver]:
    chosen = [receiver for receiver in config.alerts if name in (None, receiver.name)]
    if chosen:
        return chosen
    if name is None:
        raise ConfigError("no receiver is configured", remedy="see docs/alerts.md")
    known = ", ".join(receiver.name for receiver in config.alerts) or "none"
    raise ConfigError(f"there is no receiver {name!r}", remedy=f"known: {known}")


def _log(config: Config) -> str:
    """The name of a log of this node that there can not be: its instance is never drawn."""
    log = config.log
    return layout.origin(log.origin_prefix, log.cluster, log.node, "0" * 16)


async def _send(receivers: list[Receiver], log: str) -> list[bool]:
    http = Http()
    try:
        return await asyncio.gather(*(_try(http, receiver, log) for receiver in receivers))
    finally:
        await http.close()


async def _try(http: Http, receiver: Receiver, log: str) -> bool:
    began, now = time.monotonic(), datetime.now(UTC)
    compose = partial(forms.render, sample(log, now), receiver, now)
    outcome = await attempt(http.post, receiver, compose)
    who, took = f"{receiver.name} ({forms.kind(receiver)})", time.monotonic() - began
    if outcome.verdict == "taken":
        click.echo(f"ok: {who} took it in {took * 1000:.0f} ms")
        return True
    click.echo(f"error: {who}: {outcome.says}", err=True)
    return False
