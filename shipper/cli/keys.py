"""`keys`: make a signing key, show its public half."""

from __future__ import annotations

from pathlib import Path

import click

from shipper.seal.signer import FileSigner, generate


@click.group()
def keys() -> None:
    """Make and show signing keys (Ed25519)."""


@keys.command("generate")
@click.argument("file", type=click.Path(path_type=Path))
def generate_key(file: Path) -> None:
    """Write a new private key to FILE (PKCS#8 PEM, mode 0600) and its public half to FILE.pub.

    Nothing is overwritten. Prints the public key as base64: give that to the auditor.
    """
    click.echo(generate(file).base64)


@keys.command("show")
@click.argument("file", type=click.Path(path_type=Path))
def show_key(file: Path) -> None:
    """Print the public half of the private key in FILE as base64."""
    click.echo(FileSigner.load(file).key.base64)
