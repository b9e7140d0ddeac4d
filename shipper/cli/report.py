"""A verification's report on standard output, for people or for programs."""

from __future__ import annotations

import click
import msgspec

from shipper.verify.report import Report, State
from shipper.verify.text import render

_COLOURS = {"holds": "green", "fails": "red", "unknown": "yellow", "not asked": None}


def print_report(report: Report, output: str) -> None:
    """`output`: `text` or `json`."""
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
    else:
        click.echo(render(report, _style), nl=False)


def _style(word: str, state: State) -> str:
    return click.style(word, fg=_COLOURS[state])
