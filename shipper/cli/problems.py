"""What does not verify, on standard error, a line each."""

from __future__ import annotations

import click

from shipper.verify.ledger import Ledger


def tell_problems(ledger: Ledger) -> None:
    """Say all that is wrong with one log."""
    for problem in ledger.problems:
        where = "" if problem.seq is None else f" number {problem.seq}"
        click.echo(f"{problem.log}{where}: {problem.code}: {problem.says}", err=True)
