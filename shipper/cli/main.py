"""The command line: one verb a file. Turns every expected error into one line and an exit code."""

from __future__ import annotations

import importlib
import os
import select
import sys
import traceback

import click

from shipper import __version__
from shipper.errors import ConfigError, ShipperError

VERBS = (
    "run", "check", "prepare", "verify", "watch", "cat", "rules", "alerts", "keys", "status",
    "config",
)  # fmt: skip

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

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            if not _is_unread():  # click would end with 1, as for any broken pipe
                raise ShipperError(f"a process of ours has died: {error.strerror}") from error
            # Whoever read our output has left. click would exit with 1, which means tampering, and
            # Python would complain when it flushes at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(ShipperError.exit_code)


def _is_unread() -> bool:
    """Whether nobody reads our output any more; other pipes break too, those to our processes."""
    poll = select.poll()
    for stream in (sys.stdout, sys.stderr):
        poll.register(stream.fileno(), 0)
    return bool(poll.poll(0))


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
    sys.exit(_run())


def _run() -> int:
    try:
        code = commands(prog_name="audit-shipper", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return ConfigError.exit_code
    except (click.Abort, KeyboardInterrupt):
        # Not click's own 1, which would say that an archive has been tampered with.
        click.echo("error: interrupted", err=True)
        return ShipperError.exit_code
    except ShipperError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except OSError as error:  # such as a full disk under our output
        click.echo(f"error: {error}", err=True)
        return ShipperError.exit_code
    except Exception:  # noqa: BLE001 - whatever it is, it is no verdict
        # A defect of ours. Python's own 1 would say that an archive has been tampered with.
        traceback.print_exc()
        return ShipperError.exit_code
    return code if isinstance(code, int) else 0
