"""The command line: one verb a file. Turns every expected error into one line and an exit code."""

from __future__ import annotations

import sys

import click

from shipper import __version__
from shipper.cli.cat import cat
from shipper.cli.check import check
from shipper.cli.config import config
from shipper.cli.keys import keys
from shipper.cli.run import run
from shipper.cli.status import status
from shipper.cli.verify import verify
from shipper.errors import ShipperError

EXIT_CODES = """\b
Exit codes:
  0  all that was asked holds
  1  integrity: a signature, hash, link or root is wrong
  2  usage or configuration
  3  could not be done or checked (store unreachable, nothing found)
  4  completeness: a record, a byte range or a known log is missing
  5  freshness: the newest record is older than asked
  6  retention: an object is locked for less than asked
  7  anchored: no witness has cosigned the head
"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="audit-shipper")
def commands() -> None:
    """Follow Kubernetes audit logs, seal every batch, archive it, prove it whole."""


for command in (run, check, verify, cat, keys, status, config):
    commands.add_command(command)


def main() -> None:
    """The entry point."""
    try:
        commands(prog_name="audit-shipper")
    except ShipperError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
