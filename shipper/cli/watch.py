"""`watch`: the receiving end looks after an archive, and calls somebody."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from shipper import config as configuration
from shipper.cli.moment import moment
from shipper.cli.options import (
    endpoint_option,
    keys_option,
    lock_mode_option,
    retired_option,
    store_options,
)
from shipper.cli.report import print_report
from shipper.clock import SystemClock
from shipper.config import parse_duration
from shipper.errors import ConfigError
from shipper.logs import make_logger
from shipper.seal.keys import load_keys
from shipper.store.base import LockMode
from shipper.store.open import open_archive
from shipper.verify.report import Depth
from shipper.verify.request import Request, Retention
from shipper.watch.open import listening
from shipper.watch.round import Watched
from shipper.watch.run import Watch


@click.command(
    epilog="""\b
Exit codes with --once: as `verify`, and 3 also if a receiver of alerts was not told.
Otherwise: 0 told to stop, 2 usage or configuration, 3 another watch keeps the head file.
"""
)
@click.argument("store")
@keys_option
@endpoint_option
@click.option(
    "--head", "head_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="What was seen so far. In a directory of its own, which the nodes cannot reach.",
)  # fmt: skip
@click.option(
    "--max-age", metavar="D", default="5m", show_default=True,
    help="A log whose newest manifest is older has fallen silent.",
)  # fmt: skip
@retired_option
@click.option(
    "--locked-until", metavar="T",
    help="Every new object version must be locked at least until T (a duration from each round).",
)  # fmt: skip
@lock_mode_option
@click.option(
    "--depth", type=click.Choice(["full", "chain"]), default="full", show_default=True,
    help="full: also read the new data; chain: manifests, links and roots alone.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="One round, its report, and the exit code of verify.")
@click.option(
    "--every", metavar="D", default="5m", show_default=True, help="Otherwise: a round so often."
)
@click.option(
    "--textfile", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write metrics for node_exporter's textfile collector (NAME.prom).",
)  # fmt: skip
@click.option("--listen", metavar="ADDRESS:PORT", default="", help="Serve /metrics and probes.")
@click.option(
    "--alerts", "alerts_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Whom to call: a file with the section `alerts` of a configuration, and nothing else.",
)  # fmt: skip
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="With --once: the report, for people or for programs.",
)  # fmt: skip
def watch(
    store: str,
    keys: tuple[str, ...],
    endpoint_url: str,
    head_file: Path,
    max_age: str,
    retired: tuple[str, ...],
    locked_until: str | None,
    lock_mode: LockMode,
    depth: Depth,
    once: bool,
    every: str,
    textfile: Path | None,
    listen: str,
    alerts_file: Path | None,
    output: str,
) -> None:
    """Watch over STORE: verify what is new, and call somebody when it is not well.

    A log that falls silent, shrinks, forks, was changed or loses its lock is an alarm, told once
    and again every day that it lasts. Run it where the nodes, and who controls them, cannot reach.
    """
    if once and listen:
        raise ConfigError("--once ends, and --listen is for who stays", remedy="leave one out")
    if not re.fullmatch(configuration.LISTEN, listen):
        raise ConfigError(f"--listen: {listen!r} is no address", remedy="write address:port")
    options = store_options(store, endpoint_url)
    open_archive(options)  # says what is wrong with the URL before anything is read
    age, period = parse_duration(max_age), parse_duration(every)
    moment(locked_until, SystemClock().now().wall, 1)

    def ask(now: datetime) -> Request:
        until = moment(locked_until, now, 1)
        retention = None if until is None else Retention(until, lock_mode)
        return Request(
            depth=depth, max_age_seconds=age, retired=frozenset(retired), retention=retention
        )

    watched = Watched(
        partial(open_archive, options),
        [key for text in keys for key in load_keys(text)],
        ask,
        head_file,
        workers=len(os.sched_getaffinity(0)),
    )
    receivers = configuration.load_alerts(alerts_file) if alerts_file else ()
    logger = make_logger(level="info", form="json")
    watching = Watch(watched, receivers, textfile=textfile, clock=SystemClock(), logger=logger)
    if once:
        code = asyncio.run(watching.run(None))
        if watching.last is not None:
            print_report(watching.last[0].report, output)
        raise SystemExit(code)

    async def life() -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, watching.stop)
        async with listening(listen, watching, every_seconds=period, logger=logger):
            return await watching.run(period)

    raise SystemExit(asyncio.run(life()))
