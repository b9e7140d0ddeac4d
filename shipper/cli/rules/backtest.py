"""`rules backtest`: what rules and policies would have found, or denied, in the past."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from shipper import config as configuration
from shipper.backtest.chronicle import Listener, Noted, chronicle
from shipper.backtest.history import go_through, paths_of
from shipper.backtest.judge import Judge, MakeRules
from shipper.backtest.page import page
from shipper.backtest.plain import to_plain
from shipper.backtest.question import Question
from shipper.backtest.tally import Place
from shipper.backtest.text import render
from shipper.cli.moment import moment
from shipper.cli.options import endpoint_option, log_option, store_options, trusted_option
from shipper.cli.problems import tell_problems
from shipper.cli.progress import shown_progress
from shipper.cli.rules.options import tried_options
from shipper.cli.rules.reading import chunks
from shipper.errors import ConfigError
from shipper.rules.dialects import registry
from shipper.rules.dialects.bound import all_bound
from shipper.rules.load import load_rules, load_tested
from shipper.rules.ruleset import RuleSet
from shipper.seal.keys import load_keys
from shipper.store.open import open_archive
from shipper.verify.ledger import Ledger
from shipper.verify.report import COULD_NOT_CHECK, exit_code
from shipper.verify.request import Request, Window

_CATALOG = "the catalog"


@click.command(
    "backtest",
    epilog="""\b
Exit codes: 0 all history asked for was read, verified (a STORE) and judged; 1 integrity; 2 usage,
or a rule has a mistake; 3 nothing found or could not check, or a FILE could not be read to its
end; 4 completeness. The lowest of all that failed.
""",
)
@click.argument("history", metavar="STORE|FILE...", nargs=-1, required=True)
@trusted_option
@log_option
@endpoint_option
@tried_options
@click.option(
    "--compare", metavar="OLD NEW", type=click.Path(path_type=Path), nargs=2, default=None,
    help="Two versions of rules or policies: what the new one changes, event by event.",
)  # fmt: skip
@click.option(
    "--policies", type=click.Choice(["fixed", "from-log"]),
    help="Policies as they stand in files, asked of all history; or those of each moment, as the"
    " history shows them, beginning with those in files. By default as --config says, else fixed.",
)  # fmt: skip
@click.option(
    "--since", metavar="T",
    help="Batches sealed, or a FILE's events, since T (RFC 3339, or a duration back).",
)  # fmt: skip
@click.option("--until", metavar="T", help="Batches sealed, or a FILE's events, until T.")
@click.option(
    "--output", type=click.Choice(["text", "json", "html"]), default="text", show_default=True,
    help="For people, for programs, or one page for a browser.",
)  # fmt: skip
def command(
    history: tuple[str, ...],
    keys: tuple[str, ...],
    origin: str | None,
    endpoint_url: str,
    paths: tuple[Path, ...],
    config_path: Path | None,
    compare: tuple[Path, Path] | None,
    policies: str | None,
    since: str | None,
    until: str | None,
    output: str,
) -> None:
    """Ask rules and policies about the past: what would have been found, or denied, and for whom.

    The past is an archive (STORE, an URL; only what verifies is judged) or audit log files (FILE,
    plain, gzip or zstd, in their order; - is standard input), which nobody vouches for. A policy is
    asked as if it had been in force, and denying, all along. Nothing is sent, nothing is changed.
    """
    sealed = _is_store(history)
    if sealed and not keys:
        raise ConfigError("a STORE needs --key", remedy="give the key that you trust: --key KEY")
    make_rules, names = _tried(paths, config_path, compare, policies)
    sets = make_rules()  # says what is wrong with them before anything is read
    now, began = datetime.now(UTC), time.monotonic()
    window = Window(moment(since, now, -1), moment(until, now, -1))
    read: Callable[[Listener], list[Ledger]] | None = None
    events: Sequence[Noted] | None = None
    with shown_progress() as told:
        if sealed:
            trusted = [key for text in keys for key in load_keys(text)]
            store = open_archive(store_options(history[0], endpoint_url))
            request = Request(origin=origin, window=window)
            read = partial(go_through, store, trusted, request, progress=told)
            if sets[0].replayed and len(paths_of(store, request)) > 1:
                events = chronicle(read, sets[0])
        with Judge(make_rules, sets, Window() if sealed else window, chronicle=events) as judge:
            ledgers = read(judge) if read else _read(history, judge)
    seconds = time.monotonic() - began
    question = Question(sets, names, history, sealed, window, seconds)
    if output == "json":
        click.echo(json.dumps(to_plain(judge.result, question), indent=2))
    else:
        click.echo((page if output == "html" else render)(judge.result, question), nl=False)
    for ledger in ledgers:
        tell_problems(ledger)
    if not sealed and judge.result.first is None:
        raise SystemExit(COULD_NOT_CHECK)
    raise SystemExit(exit_code(ledger.verdicts(freshness_asked=False) for ledger in ledgers))


def _tried(
    paths: tuple[Path, ...],
    config_path: Path | None,
    compare: tuple[Path, Path] | None,
    policies: str | None,
) -> tuple[MakeRules, Sequence[str]]:
    """How to make the sets of rules, in each process anew, and what to call them."""
    if sum((bool(paths), config_path is not None, compare is not None)) > 1:
        raise ConfigError(
            "--rules, --config and --compare exclude each other", remedy="give one of them"
        )
    if compare is not None:
        if policies == "from-log":
            raise ConfigError(
                "--compare asks two files of all history", remedy="leave out --policies from-log"
            )
        return partial(_make_rules, [[path] for path in compare]), [str(path) for path in compare]
    name = str(config_path) if config_path else ", ".join(map(str, paths)) or _CATALOG
    return partial(_make_rules, [list(paths)], config_path, policies=policies), [name]


def _make_rules(
    many: Sequence[Sequence[Path]], config_path: Path | None = None, *, policies: str | None = None
) -> list[RuleSet]:
    if config_path is not None:
        sets = [load_rules(configuration.load(config_path).rules)]
    else:
        sets = [load_tested(paths) for paths in many]
    return [_as_asked(rules, policies) for rules in sets]


def _as_asked(rules: RuleSet, policies: str | None) -> RuleSet:
    """What is tried need not be in force: a policy that only waits for a binding is bound."""
    from_log = policies == "from-log" or (policies is None and rules.replayed)
    dialects = registry.dialects(registry.groups()) if from_log else []
    return rules.with_policies(all_bound(rules.policies), *dialects)


def _is_store(history: Sequence[str]) -> bool:
    stores = [one for one in history if "://" in one]
    if stores and len(history) > 1:
        raise ConfigError(
            "a STORE is gone through alone", remedy="name one STORE, or files and no STORE"
        )
    return bool(stores)


def _read(files: Sequence[str], judge: Judge) -> list[Ledger]:
    for name in files:
        place, number = Place("standard input" if name == "-" else name, None), 0
        for lines in chunks(name):
            judge.judge_lines(place, lines, number)
            number += len(lines)
    return []
