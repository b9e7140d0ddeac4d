"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("/etc/audit-shipper/config.yaml"),
    show_default=True,
    help="The configuration file.",
)

keys_option = click.option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    required=True,
    help="A trusted public key: base64, PEM file, C2SP verifier key, or a directory of these.",
)

log_option = click.option("--log", "origin", metavar="ORIGIN", help="This log alone.")
