"""Verifies an archive: finds its logs, checks each (over all cores), then what lies between them.

Reads no clock and writes nothing: the present comes in, and what to remember goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shipper.errors import StoreError
from shipper.seal.keys import VerifierKey
from shipper.verify import freshness, succession
from shipper.verify.discover import logs
from shipper.verify.heads import SeenLog
from shipper.verify.identity import lies_at
from shipper.verify.ledger import Ledger, plain
from shipper.verify.outcome import Outcome
from shipper.verify.report import (
    REPORT_VERSION,
    LogReport,
    Report,
    Verdicts,
    exit_code,
    overall,
)
from shipper.verify.request import Progress, Request
from shipper.verify.workers import Opener, verify_logs


class Verified(NamedTuple):
    """The report, and what the head file should remember from now on."""

    report: Report
    seen: list[SeenLog]


def verify_archive(
    open_store: Opener,
    keys: Sequence[VerifierKey],
    request: Request,
    *,
    now: datetime,
    seen: Mapping[str, SeenLog] | None = None,
    workers: int = 1,
    progress: Progress = lambda _log, _manifests, _raw_bytes: None,
) -> Verified:
    """Verify all logs (or the one that is asked) of the store that `open_store` opens.

    `seen` is what the head file remembers. With several `workers`, `open_store` must pickle.
    """
    store = open_store()
    remembered = _asked(seen or {}, request.origin)
    besides = Ledger(store.url)
    paths = []
    try:
        for path in logs(store):
            if request.origin is None or lies_at(request.origin, path):
                paths.append(path)  # noqa: PERF401 what was found before a failure counts
    except StoreError as error:
        besides.add("store-failed", str(error))
    outcomes = verify_logs(
        open_store, paths, keys, request, seen=remembered, workers=workers, progress=progress
    )
    outcomes = [o for o in outcomes if request.origin in (None, o.origin) or not o.origin]
    if not besides.broken_off:
        outcomes += _gone(remembered, outcomes)
        if not outcomes:
            besides.add("nothing-found", request.origin or store.url)
    successors = succession.check(outcomes) if request.origin is None else {}
    if request.max_age_seconds is not None:
        for one in outcomes:
            if one.origin not in successors and one.origin not in request.retired:
                freshness.check(one, request.max_age_seconds, now)
    report = _report(store.url, request, now, outcomes, successors, besides)
    return Verified(report, _to_remember(seen or {}, outcomes))


def _asked(seen: Mapping[str, SeenLog], origin: str | None) -> dict[str, SeenLog]:
    return {name: log for name, log in seen.items() if origin is None or name == origin}


def _gone(seen: Mapping[str, SeenLog], outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The remembered logs that nobody has found."""
    gone = []
    for origin in sorted(set(seen) - {one.origin for one in outcomes}):
        outcome = Outcome("", origin)
        outcome.origin = origin
        outcome.ledger.add("head-gone", f"{seen[origin].size} manifests were seen")
        gone.append(outcome)
    return gone


def _to_remember(seen: Mapping[str, SeenLog], outcomes: Sequence[Outcome]) -> list[SeenLog]:
    """What holds is remembered as it is now; of all else, what was remembered before."""
    remembered = dict(seen)
    for one in outcomes:
        wrong = one.ledger.fails("integrity") or one.ledger.fails("completeness")
        if one.seen is not None and not wrong:
            remembered[one.origin] = one.seen
    return list(remembered.values())


def _report(
    store: str,
    request: Request,
    now: datetime,
    outcomes: Sequence[Outcome],
    successors: Mapping[str, str],
    besides: Ledger,
) -> Report:
    fresh, locked = request.max_age_seconds is not None, request.retention is not None
    reports = [
        _log_report(one, request, successors.get(one.origin))
        for one in succession.in_order(outcomes)
    ]
    verdicts = [one.verdicts for one in reports]
    if besides.problems:
        verdicts.append(besides.verdicts(freshness_asked=fresh, retention_asked=locked))
    return Report(
        version=REPORT_VERSION,
        store=store,
        verified_at=now,
        since=request.window.since,
        until=request.window.until,
        verdicts=overall(verdicts),
        exit_code=exit_code(verdicts),
        logs=reports,
        problems=besides.problems,
    )


def _log_report(one: Outcome, request: Request, superseded_by: str | None) -> LogReport:
    is_over = superseded_by is not None or one.origin in request.retired
    fresh = request.max_age_seconds is not None and not is_over
    verdicts: Verdicts = one.ledger.verdicts(
        freshness_asked=fresh, retention_asked=request.retention is not None
    )
    return LogReport(
        origin=plain(one.ledger.log),
        path=plain(one.path),
        key=one.key,
        verdicts=verdicts,
        depth=request.depth,
        first_seq=one.first_seq,
        resumed=one.resumed,
        manifests=one.manifests,
        data_batches=one.data_batches,
        data_first_seq=one.data_first_seq,
        data_last_seq=one.data_last_seq,
        lines=one.lines,
        raw_bytes=one.raw_bytes,
        findings=one.findings,
        copies=one.copies,
        locked_versions=one.locks.versions,
        first_lock_ends=one.locks.first_end,
        head=one.head,
        supersedes=one.supersedes,
        superseded_by=superseded_by,
        problems=one.ledger.problems,
        more_problems=dict(one.ledger.more_problems),
        notices=one.ledger.notices,
        more_notices=one.ledger.more_notices,
    )
