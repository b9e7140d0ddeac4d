"""`config`: the configuration as it is understood, and its schema."""

from __future__ import annotations

import json
from pathlib import Path

import click
import yaml

from shipper import config as configuration
from shipper.cli.options import config_option
from shipper.reading import masked


@click.group()
def config() -> None:
    """Show the configuration, or its JSON schema."""


@config.command("show")
@config_option
def show(config_path: Path) -> None:
    """Print the configuration with every default, and its hash as manifests carry it.

    The URLs of receivers of alerts are masked, since they may be secrets; the hash is of the whole.
    """
    loaded = configuration.load(config_path)
    click.echo(f"# sha256 {configuration.digest(loaded)}")
    page = masked(configuration.to_plain(loaded))
    click.echo(yaml.safe_dump(page, sort_keys=False), nl=False)


@config.command("schema")
def schema() -> None:
    """Print the JSON schema of the configuration file, for editors."""
    click.echo(json.dumps(configuration.schema(), indent=2))
