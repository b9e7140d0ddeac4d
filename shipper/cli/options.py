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
