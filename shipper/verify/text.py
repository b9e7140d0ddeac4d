"""The report for people. Plain text; whatever the archive says is shown, nothing of it is obeyed.

Decides nothing, prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shipper.figures import moment, size
from shipper.verify.ledger import plain
from shipper.verify.report import EXIT_CODES, LogReport, Problem, Report, State, Verdicts

Style = Callable[[str, State], str]
"""Gives a word the colour of its state, or leaves it as it is."""


def render(report: Report, style: Style = lambda word, _state: word) -> str:
    """The whole report, each line ended."""
    lines = [f"{report.store}, verified {moment(report.verified_at)}"]
    if report.since or report.until:
        since, until = report.since, report.until
        lines.append(
            f"asked: from {moment(since) if since else 'the beginning'}"
            f" to {moment(until) if until else 'the end'}"
        )
    lines += ["", *_verdicts(report.verdicts, style)]
    lines += [_problem(problem, style) for problem in report.problems]
    for log in report.logs:
        lines += ["", *_log(log, style)]
    return "\n".join(lines) + "\n"


def _verdicts(verdicts: Verdicts, style: Style) -> Iterator[str]:
    for name in EXIT_CODES:
        state: State = getattr(verdicts, name)
        yield f"{name:13} {style(state, state)}"


def _log(log: LogReport, style: Style) -> Iterator[str]:
    yield plain(log.origin)
    states = [(name, getattr(log.verdicts, name)) for name in EXIT_CODES]
    yield "  " + ", ".join(f"{n} {style(s, s)}" for n, s in states if s != "not asked")
    if log.key is not None:
        yield f"  key        {log.key}"
    yield f"  verified   {_extent(log)}"
    if log.head is not None:
        wall = f", sealed {moment(log.head.wall)}" if log.head.wall else ""
        yield f"  head       number {log.head.seq}, {log.head.sha256}{wall}"
    yield from _storage(log)
    if log.supersedes is not None:
        yield f"  follows    {plain(log.supersedes.log)} after its number {log.supersedes.seq}"
    if log.superseded_by is not None:
        yield f"  followed by {plain(log.superseded_by)}"
    for notice in log.notices:
        yield f"  notice     number {notice.seq}, {notice.reason}: {plain(notice.detail)}"
    if log.more_notices:
        yield f"  notice     and {log.more_notices} more"
    for problem in log.problems:
        yield _problem(problem, style)
    for code, count in sorted(log.more_problems.items()):
        yield f"  and {count} more of {code}"


def _storage(log: LogReport) -> Iterator[str]:
    if log.first_lock_ends is not None:
        ends = moment(log.first_lock_ends)
        yield f"  locked     {log.locked_versions} object versions, the first until {ends}"
    if log.copies:
        yield f"  copies     {log.copies} versions that repeat an object's bytes"


def _extent(log: LogReport) -> str:
    if log.first_seq is None:
        return "nothing new" if log.resumed else "no manifest"
    last = log.first_seq + log.manifests - 1
    what = f"{log.manifests} manifests from number {log.first_seq} to {last}"
    if log.first_seq:
        what += " (those before in an earlier run)" if log.resumed else " (not those before)"
    if log.depth == "chain":
        return f"{what}; the chain alone, no data was read"
    if log.data_first_seq is None:
        return f"{what}; no data"
    batches = f"{log.data_batches} batches from {log.data_first_seq} to {log.data_last_seq}"
    findings = f", {log.findings} findings" if log.findings else ""
    return f"{what}; the data of {batches}: {log.lines} lines, {size(log.raw_bytes)}{findings}"


def _problem(problem: Problem, style: Style) -> str:
    where = "" if problem.seq is None else f" at number {problem.seq}"
    key = "" if problem.key is None else f" [{problem.key}]"
    verdict = style(f"{problem.verdict} {problem.state}", problem.state)
    return f"  {verdict}{where}: {problem.code}: {problem.says}{key}"
