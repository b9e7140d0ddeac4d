"""`rules schema`: the JSON schema of rule files."""

from __future__ import annotations

import json

import click

from shipper.rules.schema import schema


@click.command("schema")
def command() -> None:
    """Print the JSON schema of a rule file's documents, for editors."""
    click.echo(json.dumps(schema(), indent=2))
