"""`verify`: prove an archive, or say what is wrong with it. Never writes into it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from shipper.cli.moment import moment
from shipper.cli.options import (
    endpoint_option,
    keys_option,
    lock_mode_option,
    log_option,
    retired_option,
    store_options,
)
from shipper.cli.progress import shown_progress
from shipper.cli.report import print_report
from shipper.config import parse_duration
from shipper.errors import ConfigError
from shipper.seal.keys import load_keys
from shipper.store.base import LockMode
from shipper.store.open import open_archive
from shipper.verify import heads
from shipper.verify.archive import verify_archive
from shipper.verify.report import Depth
from shipper.verify.request import Request, Retention, Window


@click.command(
    epilog="""\b
Exit codes (the lowest of all that failed):
  0  all that was asked holds        4  completeness: something is missing
  1  integrity: something is wrong   5  freshness: the newest manifest is too old
  2  usage or configuration          6  retention: something is not locked as asked
  3  could not check, nothing found  7  anchored (no witness is asked yet)
"""
)
@click.argument("store")
@keys_option
@log_option
@endpoint_option
@click.option(
    "--since", metavar="T",
    help="Begin at the last entry bundle before T (RFC 3339, or a duration back from now).",
)  # fmt: skip
@click.option("--until", metavar="T", help="Read no data of batches sealed after T.")
@click.option("--max-age", metavar="D", help="The newest manifest must be younger (30s, 5m, 1h).")
@retired_option
@click.option(
    "--locked-until", metavar="T",
    help="Every object version must be locked at least until T (RFC 3339, or a duration from now).",
)  # fmt: skip
@lock_mode_option
@click.option(
    "--head", "head_file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Remember each log's head in FILE, notice what was taken away since the last run, and"
    " verify only what is new. One FILE for each STORE.",
)  # fmt: skip
@click.option("--full", "again", is_flag=True, help="Verify all again, also what --head knows.")
@click.option(
    "--depth", type=click.Choice(["full", "chain"]), default="full", show_default=True,
    help="full: also read the data; chain: manifests, links and roots alone.",
)  # fmt: skip
@click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="For people or for programs.",
)  # fmt: skip
def verify(
    store: str,
    keys: tuple[str, ...],
    origin: str | None,
    endpoint_url: str,
    since: str | None,
    until: str | None,
    max_age: str | None,
    retired: tuple[str, ...],
    locked_until: str | None,
    lock_mode: LockMode,
    head_file: Path | None,
    again: bool,
    depth: Depth,
    output: str,
) -> None:
    """Prove that nothing in STORE was changed, dropped, reordered or back-dated.

    STORE is s3://bucket/prefix or file:///path, of a whole archive or of one cluster, node or log
    in it. S3 credentials, region and CA bundle are found as the AWS tools find them.
    """
    if head_file is not None and (since or until):
        raise ConfigError(
            "--head remembers whole logs and cannot go with --since or --until",
            remedy="leave one of them out: --head verifies only what is new anyway",
        )
    now = datetime.now(UTC)
    trusted = [key for text in keys for key in load_keys(text)]
    options = store_options(store, endpoint_url)
    open_archive(options)  # says what is wrong with the URL before anything is read
    request = Request(
        depth=depth,
        origin=origin,
        window=Window(moment(since, now, -1), moment(until, now, -1)),
        max_age_seconds=None if max_age is None else parse_duration(max_age),
        retired=frozenset(retired),
        retention=_retention(locked_until, lock_mode, now),
        again=again,
    )
    seen = heads.load(head_file) if head_file is not None else {}
    with shown_progress() as told:
        verified = verify_archive(
            partial(open_archive, options),
            trusted,
            request,
            now=now,
            seen=seen,
            workers=len(os.sched_getaffinity(0)),
            progress=told,
        )
    print_report(verified.report, output)
    if head_file is not None:
        heads.save(head_file, verified.seen)
    raise SystemExit(verified.report.exit_code)


def _retention(text: str | None, mode: LockMode, now: datetime) -> Retention | None:
    until = moment(text, now, 1)
    return None if until is None else Retention(until, mode)
