"""The command line: one verb a file. Turns every expected error into one line and an exit code."""

from __future__ import annotations

import importlib
import sys

import click

from shipper import __version__
from shipper.errors import ShipperError

VERBS = ("run", "check", "verify", "cat", "keys", "status", "config")

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


class _Verbs(click.Group):
    """Imports a verb only when it is asked for: the daemon does not carry the verifier about."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"shipper.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="audit-shipper")
def commands() -> None:
    """Follow Kubernetes audit logs, seal every batch, archive it, prove it whole."""


def main() -> None:
    """The entry point."""
    try:
        commands(prog_name="audit-shipper")
    except ShipperError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
