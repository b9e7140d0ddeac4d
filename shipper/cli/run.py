"""`run`: the daemon in the foreground."""

from __future__ import annotations

import asyncio
import shlex
import sys
from functools import partial
from pathlib import Path

import click

from shipper import config as configuration
from shipper.app import App
from shipper.cli.live import LiveLine
from shipper.cli.options import config_option
from shipper.heap import keep_freed_memory
from shipper.logs import make_logger
from shipper.pipeline.progress import Progress


@click.command()
@config_option
@click.option("--once", is_flag=True, help="Drain what is there, ship it, and exit.")
def run(config_path: Path, once: bool) -> None:
    """Follow the audit log, seal it, ship it.

    SIGTERM or Ctrl-C: stop reading, seal a shutdown, ship for shutdown.drain, exit 0. A second
    one leaves at once; what is sealed waits in the spool. SIGHUP reads the rules again. --once
    exits 3 if it was stopped before the end of the log, or if the store did not take everything;
    nothing is lost, the next run goes on.
    """
    keep_freed_memory()
    config = configuration.load(config_path)
    progress = Progress()
    live = LiveLine(progress) if sys.stderr.isatty() else None
    logger = make_logger(
        level=config.logging.level,
        form=config.logging.format,
        write=live.print_above if live else None,
    )

    async def life() -> int:
        app = App(
            config,
            once=once,
            logger=logger,
            progress=progress,
            reread=partial(configuration.load, config_path),
        )
        return await app.run()

    if live:
        with live:
            code = asyncio.run(life())
    else:
        code = asyncio.run(life())
    if live or once:
        _next_step(config)
    sys.exit(code)


def _next_step(config: configuration.Config) -> None:
    public = Path(config.seal.key_file + ".pub")
    key = str(public) if public.exists() else "PUBLIC_KEY"
    command = [sys.argv[0], "verify", config.store.url, "--key", key]
    click.echo(f"Prove it:\n  {shlex.join(command)}")
