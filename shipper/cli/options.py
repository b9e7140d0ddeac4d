"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path

import click

from shipper.config import S3Options, StoreOptions

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("/etc/audit-shipper/config.yaml"),
    show_default=True,
    help="The configuration file.",
)

keys_option = click.option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    required=True,
    help="A trusted public key: base64, PEM file, C2SP verifier key, or a directory of these.",
)

trusted_option = click.option(
    "--key",
    "keys",
    metavar="KEY",
    multiple=True,
    help="A trusted public key, as `verify` takes it. A STORE needs one.",
)

log_option = click.option("--log", "origin", metavar="ORIGIN", help="This log alone.")

retired_option = click.option(
    "--retired", metavar="ORIGIN", multiple=True,
    help="This log has come to its end (its node is no more): --max-age is not asked of it.",
)  # fmt: skip

lock_mode_option = click.option(
    "--lock-mode", type=click.Choice(["COMPLIANCE", "GOVERNANCE"]), default="COMPLIANCE",
    show_default=True, help="With --locked-until: GOVERNANCE is enough, or is not.",
)  # fmt: skip

endpoint_option = click.option(
    "--endpoint-url",
    metavar="URL",
    default="",
    help="Where an S3 service that is not AWS answers: https://host[:port].",
)


def store_options(url: str, endpoint_url: str) -> StoreOptions:
    """The store that a command line names; all else is found as the AWS tools find it."""
    return StoreOptions(url=url, s3=S3Options(endpoint_url=endpoint_url))
