"""`rules backtest`: what rules would have found in sealed history."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from shipper import config as configuration
from shipper.backtest.history import go_through
from shipper.backtest.judge import Judge
from shipper.backtest.report import render, to_plain
from shipper.backtest.tally import Tally
from shipper.cli.moment import moment
from shipper.cli.options import endpoint_option, keys_option, log_option, store_options
from shipper.cli.problems import tell_problems
from shipper.cli.progress import shown_progress
from shipper.errors import ConfigError
from shipper.rules.load import load_rules, load_tested
from shipper.rules.ruleset import RuleSet
from shipper.seal.keys import load_keys
from shipper.store.open import open_archive
from shipper.verify.report import exit_code
from shipper.verify.request import Request, Window


@click.command(
    "backtest",
    epilog="""\b
Exit codes: 0 all history asked for was verified and judged; 1 integrity; 2 usage, or a rule has a
mistake; 3 nothing found or could not check; 4 completeness. The lowest of all that failed.
""",
)
@click.argument("store")
@keys_option
@log_option
@endpoint_option
@click.option(
    "--rules", "paths", metavar="PATH", type=click.Path(path_type=Path), multiple=True,
    help="Rules to try: a file or a directory. These alone; without any the catalog.",
)  # fmt: skip
@click.option(
    "--config", "config_path", metavar="FILE", type=click.Path(path_type=Path),
    help="The rules that this configuration puts in force.",
)  # fmt: skip
@click.option("--since", metavar="T", help="Batches sealed since T (RFC 3339, or a duration back).")
@click.option("--until", metavar="T", help="Batches sealed until T.")
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="For people or for programs.",
)  # fmt: skip
def command(
    store: str,
    keys: tuple[str, ...],
    origin: str | None,
    endpoint_url: str,
    paths: tuple[Path, ...],
    config_path: Path | None,
    since: str | None,
    until: str | None,
    output: str,
) -> None:
    """Ask rules about the verified events in STORE: what would have been found, and for whom.

    Nothing is sent and nothing is changed. History that does not verify is not judged; standard
    error says what, and the exit code that it was.
    """
    if paths and config_path is not None:
        raise ConfigError("--config and --rules exclude each other", remedy="give one of them")
    make_rules = partial(_make_rules, paths, config_path)
    rules = make_rules()  # says what is wrong with them before anything is read
    now, began = datetime.now(UTC), time.monotonic()
    window = Window(moment(since, now, -1), moment(until, now, -1))
    request = Request(origin=origin, window=window)
    trusted = [key for text in keys for key in load_keys(text)]
    opened = open_archive(store_options(store, endpoint_url))
    tally = Tally()
    with shown_progress() as told, Judge(make_rules, tally) as judge:
        ledgers = go_through(opened, trusted, request, judge, progress=told)
    seconds = time.monotonic() - began
    if output == "json":
        click.echo(json.dumps(to_plain(tally, rules, seconds), indent=2))
    else:
        click.echo(render(tally, rules, seconds), nl=False)
    for ledger in ledgers:
        tell_problems(ledger)
    raise SystemExit(exit_code(ledger.verdicts(freshness_asked=False) for ledger in ledgers))


def _make_rules(paths: Sequence[Path], config_path: Path | None) -> RuleSet:
    if config_path is not None:
        return load_rules(configuration.load(config_path).rules)
    return load_tested(paths)
