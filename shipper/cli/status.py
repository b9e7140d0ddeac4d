"""`status`: how the daemon is doing, by its own word, or else by what its spool says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from shipper import config as configuration
from shipper.cli.options import config_option
from shipper.config import Config
from shipper.errors import ShipperError
from shipper.health.ask import NoAnswerError, ask
from shipper.health.from_spool import read_spool
from shipper.health.status import Status
from shipper.health.text import render


@click.command(
    epilog="""\b
Exit codes:
  0  all is well
  2  usage or configuration
  3  something needs a person (it is named), the daemon does not answer, or there is no record yet
"""
)
@config_option
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(config_path: Path, output: str) -> None:
    """Print what is sealed, what is shipped, what waits, and what a person should do now.

    The daemon is asked on its health port; where it does not answer, or has none (health.listen is
    empty), its spool is read: head, backlog, and what was last wrong.
    """
    found = _status(configuration.load(config_path))
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        click.echo(render(found), nl=False)
    if found.troubles:
        raise SystemExit(ShipperError.exit_code)


def _status(config: Config) -> Status:
    silence = None
    if config.health.listen:
        try:
            return ask(config)
        except NoAnswerError as error:
            silence = str(error)
    return read_spool(config, silence=silence, now=datetime.now(UTC))
