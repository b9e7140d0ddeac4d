"""A status in words, the same for the page and for `status`. Pure.

Text from outside (log lines, a store's answers) becomes one harmless line here, once for both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from shipper import figures
from shipper.health.status import Found, Receiver, Status
from shipper.model import SEVERITIES
from shipper.text import harmless

_LONG, _SHORT = 1000, 120


class Row(NamedTuple):
    """A name, and what there is to say of it."""

    name: str
    says: str


class FoundRow(NamedTuple):
    """A finding in words."""

    severity: str
    rule: str
    message: str
    who: str
    time: str
    seq: str


def headline(status: Status) -> str:
    """How it is, in a few words."""
    count = len(status.troubles)
    if count:
        return "1 thing needs you" if count == 1 else f"{count} things need you"
    if status.stopping:
        return "Stopping"
    if status.running and not status.ready:
        return "Starting"
    return "All is well" if status.running else "Nothing is wrong in the spool"


def rows(status: Status) -> Iterator[Row]:
    """All but the troubles and the findings."""
    for row in _rows(status):
        yield Row(row.name, harmless(row.says, _LONG))


def _rows(status: Status) -> Iterator[Row]:
    yield Row("log", status.log)
    yield Row("head", f"{status.head_seq} {status.head_sha256}" if status.head_sha256 else "none")
    if status.running:
        yield Row("read", _read(status))
    yield Row("sealed", _sealed(status))
    yield Row("shipped", _shipped(status))
    yield Row("behind", behind(status))
    yield Row("spool", _spool(status))
    yield Row("store", _store(status))
    if status.running:
        yield Row("findings", _findings(status))
        if status.balances:
            yield Row("compared", _compared(status))
    yield from (Row(f"alerts {name}", _receiver(one)) for name, one in status.alerts.items())
    yield Row("configuration", status.config_sha256 or "unknown")
    yield Row("rules", _in_force(status))
    if status.reloaded_at is not None:
        yield Row("reload", f"{status.reload_result}, {figures.moment(status.reloaded_at)}")
    yield Row("version", status.version)


def behind(status: Status) -> str:
    """What was read and is not sealed, what is sealed and not shipped."""
    waits = []
    if status.oldest_unsealed_seconds:
        waits.append(
            f"unsealed lines, the oldest read {figures.span(status.oldest_unsealed_seconds)} ago"
        )
    if status.pending_records:
        ago = figures.span(status.oldest_pending_seconds)
        waits.append(f"unshipped records: {status.pending_records:,}, the oldest sealed {ago} ago")
    return "; ".join(waits) or "nothing waits"


def found_row(found: Found) -> FoundRow:
    """A finding, each of its texts harmless."""
    finding = found.finding
    who = finding.who
    acting = f"{who.user} as {who.impersonated}" if who.impersonated else who.user
    return FoundRow(
        finding.severity,
        harmless(finding.rule, _SHORT),
        harmless(finding.message, _LONG),
        harmless(acting, _SHORT),
        harmless(finding.time, _SHORT),
        str(found.seq),
    )


def _read(status: Status) -> str:
    what = _amount(status.events_read, status.bytes_read)
    return f"{what} since the start, from {status.source}"


def _sealed(status: Status) -> str:
    if status.head_seq < 0:
        return "nothing yet"
    ago = status.sealed_seconds_ago
    when = "" if ago is None else f", {figures.span(ago)} ago"
    return (
        f"record {status.head_seq}{when}{_since(status.events_sealed, status.bytes_sealed, status)}"
    )


def _shipped(status: Status) -> str:
    if status.shipped_seq < 0:
        return "nothing yet"
    when = "" if status.shipped_at is None else f", {figures.moment(status.shipped_at)}"
    what = _since(status.events_shipped, status.bytes_shipped, status)
    return f"record {status.shipped_seq}{when}{what}"


def _since(events: int, size: int, status: Status) -> str:
    """The spool alone does not know it."""
    return f"; {_amount(events, size)} since the start" if status.running else ""


def _spool(status: Status) -> str:
    return f"{figures.size(status.spool_bytes)} of {figures.size(status.spool_limit_bytes)}"


def _store(status: Status) -> str:
    return f"{status.store}, {status.store_state}"


def _findings(status: Status) -> str:
    counts: Counter[str] = Counter()
    for one in status.findings:
        kind = one.severity if one.mode == "alert" else one.mode
        counts[kind if one.verdict == "match" else one.verdict] += one.count
    kinds = (*reversed(SEVERITIES), "shadow", "indeterminate")
    known = [f"{counts[kind]:,} {kind}" for kind in kinds if counts[kind]]
    return f"{', '.join(known) or 'none'} since the start"


def _compared(status: Status) -> str:
    """With what the API server counts."""
    return (
        f"{status.balances:,} times with the API server's count: {status.events_missing:,} missing,"
        f" {status.events_gained:,} gained, {status.events_failed:,} failed to be written"
    )


def _in_force(status: Status) -> str:
    if not status.rules_sha256:
        return "none"
    return (
        f"{status.rules} in force, {status.rules_sha256}" if status.running else status.rules_sha256
    )


def _receiver(one: Receiver) -> str:
    says = (
        f"told {one.told}, held back {one.held_back}, dead {one.dead},"
        f" pending records {one.pending_records}"
    )
    return f"{says}, trouble {one.trouble}" if one.trouble else says


def _amount(events: int, size: int) -> str:
    return f"{events:,} lines, {figures.size(size)}"
