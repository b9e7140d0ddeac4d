"""`cat`: verified raw events to standard output. Prints nothing that does not verify."""

from __future__ import annotations

import re
import sys

import click

from shipper.cli.options import endpoint_option, keys_option, log_option, store_options
from shipper.cli.problems import tell_problems
from shipper.errors import ConfigError, ShipperError
from shipper.seal.keys import load_keys
from shipper.store.open import open_archive
from shipper.verify.cat import cat as cat_logs
from shipper.verify.discover import logs
from shipper.verify.report import Verdicts, exit_code
from shipper.verify.request import Numbers

_SEQ = re.compile(r"([0-9]{1,12})(-([0-9]{1,12})?)?")


@click.command(
    epilog="""\b
Exit codes: 0 all that was printed is all there is, and verified; 1 integrity; 2 usage;
3 nothing found or could not check; 4 completeness. The lowest of all that failed.
"""
)
@click.argument("store")
@keys_option
@log_option
@endpoint_option
@click.option("--seq", metavar="N[-M]", help="Only manifest N, N to M (N-M), or from N on (N-).")
@click.option(
    "--findings", is_flag=True, help="Print what the guardrail rules found, a JSON text a line."
)
def cat(
    store: str,
    keys: tuple[str, ...],
    origin: str | None,
    endpoint_url: str,
    seq: str | None,
    *,
    findings: bool,
) -> None:
    """Print the verified raw events of STORE, byte for byte, in the order of their sealing.

    What does not verify is not printed; standard error says what, and the exit code that it was.
    """
    numbers = None if seq is None else parse_numbers(seq)
    trusted = [key for text in keys for key in load_keys(text)]
    opened = open_archive(store_options(store, endpoint_url))
    if seq is not None and origin is None and len(list(logs(opened))) > 1:
        raise ConfigError("--seq needs --log where there are several logs")
    verdicts: list[Verdicts] = []
    output = sys.stdout.buffer
    try:
        for ledger in cat_logs(
            opened, trusted, output.write, origin=origin, numbers=numbers, findings=findings
        ):
            tell_problems(ledger)
            verdicts.append(ledger.verdicts(freshness_asked=False))
        output.flush()
    except BrokenPipeError:
        raise  # not the disk's fault: whoever read has left
    except OSError as error:
        raise ShipperError(f"standard output cannot be written: {error.strerror}") from error
    raise SystemExit(exit_code(verdicts))


def parse_numbers(text: str) -> Numbers:
    """`N`, `N-M` or `N-`."""
    match = _SEQ.fullmatch(text)
    if match is None or (match[3] and int(match[3]) < int(match[1])):
        raise ConfigError(f"--seq {text} is no range of numbers", remedy="write N, N-M or N-")
    first = int(match[1])
    if match[2] is None:
        return Numbers(first, first)
    return Numbers(first, int(match[3]) if match[3] else None)
