"""`rules run`: the findings in a plain audit log. Needs no daemon, no key and no store."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from shipper.cli.rules.options import chosen, rules_options
from shipper.cli.rules.reading import chunks
from shipper.model import Finding
from shipper.rules.engine import Engine

_COLOURS = {"critical": "red", "high": "red", "medium": "yellow", "low": None, "info": None}


@click.command(
    "run",
    epilog="""\b
Exit codes: 0 no rule matched; 1 a rule matched; 2 usage, or a rule has a mistake;
3 FILE could not be read, or not to its end.
""",
)
@click.argument("file")
@rules_options
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="For people, or one JSON finding a line for programs.",
)  # fmt: skip
def command(file: str, config_path: Path | None, paths: tuple[Path, ...], output: str) -> None:
    """Print the findings in FILE, an audit log (plain, gzip or zstd), or - for standard input.

    A finding's line is counted from 1 in text, and from 0 in JSON, as in a sealed batch.
    """
    engine = Engine(chosen(config_path, paths))
    shown = _as_json if output == "json" else _as_text
    number = matched = undecided = 0
    for lines in chunks(file):
        found = engine.evaluate(lines, first_line=number)
        if found:
            click.echo("\n".join(map(shown, found)))
        matches = sum(finding.verdict == "match" for finding in found)
        matched += matches
        undecided += len(found) - matches
        number += len(lines)
    click.echo(f"{number} lines, {matched} findings, {undecided} undecided", err=True)
    raise SystemExit(1 if matched else 0)


def _as_json(finding: Finding) -> str:
    return msgspec.json.encode(finding).decode()


def _as_text(finding: Finding) -> str:
    word = finding.severity if finding.verdict == "match" else "undecided"
    styled = click.style(f"{word:<9}", fg=_COLOURS[finding.severity])
    shadow = " (shadow)" if finding.mode == "shadow" else ""
    audit_id = f" [{finding.audit_id}]" if finding.audit_id else ""
    return f"{finding.line + 1:>8}  {styled}  {finding.rule}{shadow}: {finding.message}{audit_id}"
