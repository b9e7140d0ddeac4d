"""The metrics of a round. Pure: nothing is counted here. docs/watch.md explains each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from shipper import __version__
from shipper.health.families import Metric, gauge, gauge_of, info, moment
from shipper.verify.report import EXIT_CODES, LogReport, State
from shipper.watch.alarms import FAILS
from shipper.watch.round import Round

_STATES: tuple[State, ...] = ("holds", "fails", "unknown")


def families(done: Round) -> Iterator[Metric]:
    """All that a round has found."""
    report, logs = done.report, done.report.logs
    what = {"store": report.store, "version": __version__}
    yield info("watch", "Which archive is watched, and by which version.", what)
    yield gauge("watch_exit_code", "What `verify` would have ended with.", report.exit_code)
    yield from moment("watch_last_round", "When the last round was done.", report.verified_at)
    yield gauge("watch_round_seconds", "How long it took.", done.seconds)
    yield gauge("watch_logs", "Logs in the archive.", len(logs))
    yield _verdicts(done)
    yield _problems(done)
    says = "Number of the newest record that verified."
    yield _by_log(logs, "head_sequence", says, _head_seq)
    yield _by_log(logs, "head_timestamp_seconds", "When it was sealed.", _head_time)
    says = "When the first lock ends, of those that this round has looked at."
    yield _by_log(logs, "first_lock_end_timestamp_seconds", says, _lock_ends)


def _verdicts(done: Round) -> Metric:
    family = gauge_of(
        ("log", "verdict", "state"), "watch_verdict", "1 for the state that it is in."
    )
    alarming = {(one.rule, one.log) for one in done.due.memory.lasting.values()}
    for log in done.report.logs:
        for question in EXIT_CODES:
            state: State = getattr(log.verdicts, question)
            if state == "not asked":
                continue
            if question in FAILS and (FAILS[question].rule, log.origin) in alarming:
                state = "fails"  # found by an earlier round, and shown for a while
            for one in _STATES:
                family.add_metric((log.origin, question, one), one == state)
    return family


def _problems(done: Round) -> Metric:
    counts = Counter((log.origin, one.code) for log in done.report.logs for one in log.problems)
    counts.update(("", one.code) for one in done.report.problems)
    for log in done.report.logs:
        counts.update({(log.origin, code): more for code, more in log.more_problems.items()})
    family = gauge_of(("log", "code"), "watch_problems", "What the last round has found wrong.")
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return family


def _by_log(
    logs: Sequence[LogReport], name: str, says: str, value: Callable[[LogReport], float | None]
) -> Metric:
    family = gauge_of(("log",), f"watch_{name}", says)
    for log in logs:
        found = value(log)
        if found is not None:
            family.add_metric((log.origin,), found)
    return family


def _head_seq(log: LogReport) -> int | None:
    return log.head.seq if log.head else None


def _head_time(log: LogReport) -> float | None:
    return log.head.wall.timestamp() if log.head and log.head.wall else None


def _lock_ends(log: LogReport) -> float | None:
    return log.first_lock_ends.timestamp() if log.first_lock_ends else None
