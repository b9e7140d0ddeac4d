"""The metrics of a status. Pure: nothing is counted here. docs/metrics.md explains each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from shipper.health.families import (
    Metric,
    counter,
    counter_by,
    counter_of,
    gauge,
    gauge_by,
    info,
    moment,
)
from shipper.health.readiness import unready
from shipper.health.status import Status
from shipper.health.troubles import MEANINGS
from shipper.model import SEVERITIES, Kind, Reason


def families(status: Status) -> Iterator[Metric]:
    """All metrics of the daemon itself."""
    yield from _daemon(status)
    yield from _read(status)
    yield from _sealed(status)
    yield from _shipped(status)
    yield from _rules(status)
    yield from _alerts(status)


def _daemon(status: Status) -> Iterator[Metric]:
    build = {
        "version": status.version,
        "log": status.log,
        "config_sha256": status.config_sha256,
        "rules_sha256": status.rules_sha256,
    }
    yield info("build", "The program, its log and configuration.", build)
    yield gauge("ready", "Whether the audit log is being read.", not unready(status))
    yield gauge("heartbeat_seconds", "After so long a record is due.", status.heartbeat_seconds)
    now = {one.code for one in status.troubles}
    wrong = {code: code in now for code in MEANINGS if code != "not-running"}
    yield gauge_by("code", "trouble", "Whether this is wrong now.", wrong)
    reloads = dict.fromkeys(("ok", "refused", "needs-restart"), 0) | status.reloads
    yield counter_by("result", "reloads", "Reloads of configuration and rules.", reloads)
    yield from moment("last_reload", "When that was last done.", status.reloaded_at)


def _read(status: Status) -> Iterator[Metric]:
    yield counter("read_events", "Lines read.", status.events_read)
    yield counter("read_bytes", "Bytes of the audit log read.", status.bytes_read)
    yield counter("malformed_lines", "Lines that are no audit event.", status.malformed_lines)
    yield counter("balances", "Comparisons with the API server's counters.", status.balances)
    differences = {
        "failed": status.events_failed,
        "missing": status.events_missing,
        "gained": status.events_gained,
    }
    says = "Events by which what was read differs from what the API server counts."
    yield counter_by("kind", "unbalanced_events", says, differences)
    waits = status.oldest_unsealed_seconds
    yield gauge("oldest_unsealed_seconds", "How long the oldest line waits for its seal.", waits)


def _sealed(status: Status) -> Iterator[Metric]:
    yield counter("sealed_events", "Lines sealed.", status.events_sealed)
    yield counter("sealed_bytes", "Bytes of the audit log sealed.", status.bytes_sealed)
    records = dict.fromkeys(get_args(Kind), 0) | status.records
    yield counter_by("kind", "sealed_records", "Records sealed.", records)
    notices = dict.fromkeys(get_args(Reason), 0) | status.notices
    yield counter_by("reason", "notices", "Notices sealed.", notices)
    yield gauge("head_sequence", "Number of the newest record; -1 for none.", status.head_seq)
    yield from moment("last_seal", "When it was sealed.", status.sealed_at)
    yield gauge("spool_bytes", "What the spool takes.", status.spool_bytes)
    yield gauge("spool_limit_bytes", "At this size reading stops.", status.spool_limit_bytes)
    yield gauge("pending_records", "Records that wait for the store.", status.pending_records)
    waits = status.oldest_pending_seconds
    yield gauge("oldest_unshipped_seconds", "How long ago the oldest of them was sealed.", waits)


def _shipped(status: Status) -> Iterator[Metric]:
    yield counter("shipped_events", "Lines in the store.", status.events_shipped)
    yield counter("shipped_bytes", "Bytes of the audit log in the store.", status.bytes_shipped)
    yield counter("uploaded_bytes", "Bytes sent to the store.", status.uploaded_bytes)
    newest = status.shipped_seq
    yield gauge("shipped_sequence", "Number of the newest record in the store.", newest)
    yield from moment("last_ship", "When the store took it.", status.shipped_at)
    failed = status.store_errors
    yield counter_by("code", "store_errors", "Calls to the store that failed.", failed)


def _rules(status: Status) -> Iterator[Metric]:
    yield gauge("rules", "Rules in force.", status.rules)
    yield counter("rules_seconds", "Time that the rules have taken.", status.rules_seconds)
    says = "CPU that the rule has taken, estimated from samples; the costliest 20 rules."
    yield counter_by("rule", "rule_cpu_seconds", says, status.rule_seconds)
    labels = ("rule", "severity", "verdict", "mode")
    findings = counter_of(labels, "findings", "Findings sealed.")
    alarming: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
    for one in status.findings:
        findings.add_metric((one.rule, one.severity, one.verdict, one.mode), one.count)
        if (one.verdict, one.mode) == ("match", "alert"):
            alarming[one.severity] += one.count
    yield findings
    says = "Findings that match, of rules that alert; each severity is there from the start."
    yield counter_by("severity", "matches", says, alarming)


def _alerts(status: Status) -> Iterator[Metric]:
    receivers = status.alerts
    labels = ("receiver", "outcome")
    alerts = counter_of(labels, "alerts", "Alerts, by what became of them.")
    for name, one in receivers.items():
        alerts.add_metric((name, "told"), one.told)
        alerts.add_metric((name, "held-back"), one.held_back)
        alerts.add_metric((name, "dead"), one.dead)
    yield alerts
    failed = {name: one.failed for name, one in receivers.items()}
    yield counter_by("receiver", "alert_failures", "Tries that failed.", failed)
    wrong = {name: bool(one.trouble) for name, one in receivers.items()}
    yield gauge_by("receiver", "receiver_trouble", "Whether the last try failed.", wrong)
    waiting = {name: one.pending_records for name, one in receivers.items()}
    says = "Records with alerts that the receiver was not told yet."
    yield gauge_by("receiver", "alerts_pending_records", says, waiting)
    dropped = status.alerts_dropped
    yield counter("alerts_dropped_records", "Records whose alerts were dropped.", dropped)
