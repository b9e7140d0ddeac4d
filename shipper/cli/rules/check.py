"""`rules check`: what rules and policies say of manifests, before a cluster sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from shipper.cli.rules.options import tried, tried_options
from shipper.errors import ConfigError
from shipper.manifests.check import check
from shipper.manifests.read import read_manifests
from shipper.manifests.report import junit, plain, sarif, text
from shipper.manifests.result import Report

_FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text.render,
    "json": lambda report: json.dumps(plain.to_plain(report), indent=2) + "\n",
    "sarif": lambda report: json.dumps(sarif.to_sarif(report), indent=2) + "\n",
    "junit": junit.render,
}


@click.command(
    "check",
    epilog="""\b
Exit codes: 0 nothing is denied (there may be warnings, and what could not be decided); 1 something
is denied; 2 usage, or a mistake in a rule, a policy or a manifest: then nothing was judged.
""",
)
@click.argument("manifests", nargs=-1, required=True)
@tried_options
@click.option(
    "--namespace", "-n", metavar="NAME", default="default", show_default=True,
    help="Where objects go that name no namespace, as with kubectl apply.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(list(_FORMATS)), default="text", show_default=True,
    help="For people, for programs, for code scanning, or as test results.",
)  # fmt: skip
def command(
    manifests: tuple[str, ...],
    paths: tuple[Path, ...],
    config_path: Path | None,
    namespace: str,
    form: str,
) -> None:
    """Judge MANIFESTS: files, directories (*.yaml, *.yml, *.json in them and below), or - for
    standard input, such as what helm template or kubectl kustomize print.

    Policies are asked as if each object were created; one without a binding as if it denied
    everywhere. Rules that look at the object are asked too: those of severity high and critical
    deny.
    """
    rules = tried(config_path, paths)
    read = read_manifests(manifests, namespace=namespace)
    report = check(read, rules, now=datetime.now(UTC))
    if not (report.policies or report.rules):
        raise ConfigError(
            "no policy and no rule about objects: nothing would ever be denied",
            remedy="give --rules files, or directories with *.yaml or *.yml right in them",
        )
    click.echo(_FORMATS[form](report), nl=False)
    for line in text.summary(report):
        click.echo(line, err=True)
    raise SystemExit(1 if report.count("deny") else 0)
