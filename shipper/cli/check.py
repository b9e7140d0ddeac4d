"""`check`: would `run` start? Changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from shipper import config as configuration
from shipper.cli.options import config_option
from shipper.config import Config
from shipper.errors import ShipperError, SourceError, StoreError, TellError
from shipper.seal.signer import FileSigner
from shipper.store.open import open_store
from shipper.tell import forms
from shipper.tell.sample import sample
from shipper.tell.secret_files import read_secrets


@click.command()
@config_option
@click.option("--connect", is_flag=True, help="Ask the store too.")
def check(config_path: Path, connect: bool) -> None:
    """Check the configuration, keys, secrets and the audit log; with --connect the store too.

    Every problem is reported. Exit code 0 if there is none, else the first problem's.
    """
    config = configuration.load(config_path)
    problems = [
        *_key(config),
        *_source(config),
        *_store(config, connect=connect),
        *_alerts(config),
    ]
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        raise SystemExit(problems[0].exit_code)
    click.echo(f"ok: {config_path} (sha256 {configuration.digest(config)})")


def _key(config: Config) -> list[ShipperError]:
    try:
        signer = FileSigner.load(Path(config.seal.key_file))
    except ShipperError as error:
        return [error]
    click.echo(f"ok: key {signer.key.base64}")
    return []


def _source(config: Config) -> list[ShipperError]:
    path = Path(config.source.path)
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        click.echo(f"ok: {path} is not there yet; the daemon waits for it")
    except OSError as error:
        return [
            SourceError(
                f"the audit log {path} cannot be read: {error.strerror}",
                remedy="see docs/operations.md, Reading the audit log",
            )
        ]
    else:
        click.echo(f"ok: {path} can be read")
    return []


def _store(config: Config, *, connect: bool) -> list[ShipperError]:
    problems: list[ShipperError] = []
    try:
        store = open_store(config.store)
        if connect:
            for found in store.preflight():
                if found.state in ("ok", "unknown"):
                    click.echo(f"{found.state}: {found.says}")
                else:
                    problems.append(StoreError(found.says, remedy=found.remedy))
            logs = store.children(f"{config.log.cluster}/{config.log.node}/")
            click.echo(f"ok: {store.url} answers; this node has {len(logs)} logs there")
    except ShipperError as error:
        problems.append(error)
    return problems


def _alerts(config: Config) -> list[ShipperError]:
    """Are the receivers' secrets there, and of the right form? Nobody is told anything."""
    problems: list[ShipperError] = []
    now = datetime.now(UTC)
    for receiver in config.alerts:
        try:
            forms.render(sample("a/b/c/d", now), receiver, now, read_secrets(receiver))
            click.echo(f"ok: receiver {receiver.name}; try it: audit-shipper alerts test")
        except ShipperError as error:
            said = f"receiver {receiver.name}: {error.message}"
            problems.append(TellError(said, remedy=error.remedy))
    return problems
