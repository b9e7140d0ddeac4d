"""Which rules a verb is about: those of a configuration, or the catalog and files of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from shipper import config as configuration
from shipper.errors import ConfigError
from shipper.rules.load import load_files, load_rules, load_tested
from shipper.rules.ruleset import RuleSet

F = TypeVar("F", bound=Callable[..., Any])

_CONFIG = click.option(
    "--config", "config_path", metavar="FILE", type=click.Path(path_type=Path),
    help="The rules that this configuration puts in force, with its parameters and overrides.",
)  # fmt: skip
_RULES = click.option(
    "--rules", "paths", metavar="PATH", type=click.Path(path_type=Path), multiple=True,
    help="A file of rules or policies, or a directory of them, beside the catalog. May be given"
    " several times.",
)  # fmt: skip
_ALONE = click.option(
    "--rules", "paths", metavar="PATH", type=click.Path(path_type=Path), multiple=True,
    help="Rules and policies: a file or a directory. These alone; without any the catalog.",
)  # fmt: skip


def rules_options(command: F) -> F:
    """`--config FILE`, or `--rules PATH`; without either the catalog alone."""
    return _CONFIG(_RULES(command))


def tried_options(command: F) -> F:
    """`--rules PATH`, those alone, or `--config FILE`; without either the catalog."""
    return _ALONE(_CONFIG(command))


def chosen(config_path: Path | None, paths: tuple[Path, ...]) -> RuleSet:
    """The rules that the options name."""
    if config_path is None:
        return load_files(paths)
    if paths:
        raise ConfigError("--config and --rules exclude each other", remedy="give one of them")
    return load_rules(configuration.load(config_path).rules)


def tried(config_path: Path | None, paths: tuple[Path, ...]) -> RuleSet:
    """The rules that the options name, and no others."""
    if config_path is None:
        return load_tested(paths)
    return chosen(config_path, paths)
