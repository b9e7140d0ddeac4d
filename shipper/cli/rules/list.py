"""`rules list`: which rules are in force, and what each needs of the audit log."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from shipper.cli.rules import detections, policies
from shipper.cli.rules.options import chosen, rules_options
from shipper.cli.rules.table import table
from shipper.rules.compile import Rule
from shipper.rules.ruleset import RuleSet

_COLUMNS = ("NAME", "SEVERITY", "MODE", "LEVEL", "ATT&CK", "TITLE")


@click.command("list")
@rules_options
@click.option(
    "--explain", is_flag=True,
    help="Say for each policy what of it can not be answered offline, and for each rule that was"
    " written in another language where it stands and what became of it.",
)  # fmt: skip
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="For people or for programs.",
)  # fmt: skip
def command(config_path: Path | None, paths: tuple[Path, ...], explain: bool, output: str) -> None:
    """List the rules in force: name, severity, mode, the audit level each needs, ATT&CK, title.
    Then the policies: language, action, whether they can be answered offline, what they speak of.

    An event logged at a lower level than a rule needs leaves that rule undecided: an indeterminate
    finding, never a pass. `rules doctor` tells which rules your audit policy blinds.
    """
    rules = chosen(config_path, paths)
    now = datetime.now(UTC)
    if output == "json":
        page = msgspec.json.encode(to_plain(rules, now))
        click.echo(msgspec.json.format(page, indent=2).decode())
        return
    rows = [
        (r.name, r.severity, r.mode, r.needs_level, " ".join(r.attack), r.title)
        for r in rules.rules
    ]
    click.echo(table(_COLUMNS, rows))
    click.echo(f"\n{len(rules.rules)} rules in force; sha256 {rules.sha256}")
    for name in rules.off:
        click.echo(f"off by the configuration: {name}")
    for rule in rules.inert:
        click.echo(f"off by its parameters: {rule.name}")
    for line in detections.shown(rules, explain=explain):
        click.echo(line)
    for line in policies.shown(rules, explain=explain):
        click.echo(line)
    for rule, reason in rules.expired(now):
        click.echo(f"an exception of {rule.name} has expired: {reason}", err=True)


def to_plain(rules: RuleSet, now: datetime) -> dict[str, Any]:
    """The set as plain values: what documents and programs need of it."""
    expired = {(rule.name, reason) for rule, reason in rules.expired(now)}
    return {
        "sha256": rules.sha256,
        "params": rules.params,
        "off": rules.off,
        "rules": [
            _plain(rule)
            | {
                "inert": rule in rules.inert,
                "expiredExceptions": [why for name, why in sorted(expired) if name == rule.name],
            }
            for rule in rules.rules
        ],
        "notes": [str(note) for note in rules.notes],
        "policies": policies.to_plain(rules),
    }


def _plain(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "title": rule.title,
        "description": rule.description,
        "severity": rule.severity,
        "mode": rule.mode,
        "needsLevel": rule.needs_level,
        "attack": rule.attack,
        "falsePositives": rule.false_positives,
        "match": msgspec.to_builtins(rule.match),
        "file": rule.file,
        "line": rule.line,
        "language": rule.language,
    }
