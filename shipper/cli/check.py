"""`check`: would `run` start? Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click

from shipper import config as configuration
from shipper.audit.scrape import scrape
from shipper.cli.options import config_option
from shipper.config import Config
from shipper.errors import ShipperError, SourceError, StoreError, TellError
from shipper.pipeline.guard import load_engine
from shipper.seal.signer import FileSigner
from shipper.store.base import Store
from shipper.store.open import open_store
from shipper.tell import forms
from shipper.tell.sample import sample
from shipper.tell.secret_files import read_secrets


class Problem(NamedTuple):
    """What is wrong, and the key of the configuration that leads to it."""

    key: str
    error: ShipperError


@click.command()
@config_option
@click.option("--connect", is_flag=True, help="Ask the store too.")
def check(config_path: Path, connect: bool) -> None:
    """Check configuration, key, secrets, rules and audit log; with --connect the store too.

    Every problem is reported: its key, what is wrong, what to do. Exit code 0 if there is none,
    else the first problem's.
    """
    config = configuration.load(config_path)
    problems = [
        *_key(config),
        *_source(config),
        *_api_server(config, connect=connect),
        *_store(config, connect=connect),
        *_alerts(config),
        *_rules(config),
    ]
    for problem in problems:
        click.echo(f"error: {problem.key}: {problem.error}", err=True)
    if problems:
        raise SystemExit(problems[0].error.exit_code)
    click.echo(f"ok: {config_path} (sha256 {configuration.digest(config)})")


def _key(config: Config) -> Iterator[Problem]:
    try:
        signer = FileSigner.load(Path(config.seal.key_file))
    except ShipperError as error:
        yield Problem("seal.key_file", error)
    else:
        click.echo(f"ok: key {signer.key.base64}")


def _source(config: Config) -> Iterator[Problem]:
    path = Path(config.source.path)
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        click.echo(f"ok: {path} is not there yet; the daemon waits for it")
    except OSError as error:
        says = f"the audit log {path} cannot be read: {error.strerror}"
        remedy = "see docs/operations.md, Reading the audit log"
        yield Problem("source.path", SourceError(says, remedy=remedy))
    else:
        click.echo(f"ok: {path} can be read")


def _api_server(config: Config, *, connect: bool) -> Iterator[Problem]:
    options = config.source.apiserver_metrics
    if not (connect and options.url):
        return
    try:
        counted = scrape(options)
    except ShipperError as error:
        yield Problem("source.apiserver_metrics", error)
    else:
        click.echo(f"ok: {options.url} counts {counted.events:,} events")


def _store(config: Config, *, connect: bool) -> Iterator[Problem]:
    try:
        store = open_store(config.store)
        if connect:
            yield from _connect(store, config)
    except ShipperError as error:
        yield Problem("store", error)


def _connect(store: Store, config: Config) -> Iterator[Problem]:
    for found in store.preflight():
        if found.state in ("ok", "unknown"):
            click.echo(f"{found.state}: {found.says}")
        else:
            yield Problem("store", StoreError(found.says, remedy=found.remedy))
    logs = store.children(f"{config.log.cluster}/{config.log.node}/")
    click.echo(f"ok: {store.url} answers; this node has {len(logs)} logs there")


def _alerts(config: Config) -> Iterator[Problem]:
    """Are the receivers' secrets there, and of the right form? Nobody is told anything."""
    now = datetime.now(UTC)
    for n, receiver in enumerate(config.alerts):
        try:
            forms.render(sample("a/b/c/d", now), receiver, now, read_secrets(receiver))
        except ShipperError as error:
            said = f"receiver {receiver.name}: {error.message}"
            yield Problem(f"alerts[{n}]", TellError(said, remedy=error.remedy))
        else:
            click.echo(f"ok: receiver {receiver.name}; try it: audit-shipper alerts test")


def _rules(config: Config) -> Iterator[Problem]:
    try:
        engine = load_engine(config.rules)
    except ShipperError as error:
        yield Problem("rules", error)
    else:
        if engine is not None:
            rules, policies = len(engine.rules.rules), len(engine.rules.policies.policies)
            counted = f"{rules} rules" + (f", {policies} policies" if policies else "")
            click.echo(f"ok: {counted} (sha256 {engine.rules.sha256})")
