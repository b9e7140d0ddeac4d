"""`rules test`: what each rule says of its own tests."""

from __future__ import annotations

from pathlib import Path

import click

from shipper.rules.load import load_tested
from shipper.rules.testing import run_tests


@click.command(
    "test",
    epilog="""\b
Exit codes: 0 every test passed; 1 a test failed; 2 a rule has a mistake (all of them are listed).
""",
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def command(paths: tuple[Path, ...]) -> None:
    """Run the tests in the rules of PATHS (files or directories); by default the catalog's.

    Parameters have their defaults, but for those that a test sets.
    """
    rules = load_tested(paths)
    count = failed = 0
    for outcome in run_tests(rules):
        count += 1
        if outcome.says:
            failed += 1
            rule = outcome.rule
            click.echo(f"{rule.file}:{rule.line}: {rule.name}: {outcome.test.name}: {outcome.says}")
    for rule in rules.rules:
        if not rule.written.spec.tests and not rule.language:
            click.echo(f"{rule.file}:{rule.line}: {rule.name} has no tests")
    click.echo(f"{len(rules.rules)} rules, {count} tests, {failed} failed")
    raise SystemExit(1 if failed else 0)
