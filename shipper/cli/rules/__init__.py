"""`rules`: guardrail rules without a daemon, one verb a file."""

from __future__ import annotations

import importlib

import click

VERBS = ("list", "test", "run", "backtest", "check", "schema", "doctor")


class _Verbs(click.Group):
    """Imports a verb only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*VERBS]  # `list` is the verb's module here, once that is imported

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"shipper.cli.rules.{cmd_name}")
        command: click.Command = module.command
        return command


@click.group(cls=_Verbs)
def rules() -> None:
    """List guardrail rules, test them, run them over an audit log or over manifests."""
