"""The metrics of a status, in Prometheus' form. Pure, but for what /proc says of the process.

Every number is read at the scrape; nothing is counted here. docs/metrics.md explains each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import get_args

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from shipper.health.readiness import unready
from shipper.health.status import Status
from shipper.health.troubles import MEANINGS
from shipper.model import Kind, Reason
from shipper.pipeline.guard import SEVERITIES

NAMESPACE = "audit_shipper"


class Exporter:
    """Shows one status at a time, in the form that the scraper asks for."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)
        self._status: Status | None = None

    def collect(self) -> Iterable[Metric]:
        """What `prometheus_client` asks of a collector."""
        return () if self._status is None else families(self._status)

    def render(self, status: Status, accept: str) -> tuple[bytes, str]:
        """The text, and its content type, for an `Accept` header."""
        encode, content_type = choose_encoder(accept)
        self._status = status
        return encode(self._registry), content_type


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
    yield InfoMetricFamily(f"{NAMESPACE}_build", "The program, its log and configuration.", build)
    yield _gauge("ready", "Whether the audit log is being read.", not unready(status))
    yield _gauge("heartbeat_seconds", "After so long a record is due.", status.heartbeat_seconds)
    now = {one.code for one in status.troubles}
    wrong = {code: code in now for code in MEANINGS if code != "not-running"}
    yield _gauge_by("code", "trouble", "Whether this is wrong now.", wrong)
    reloads = dict.fromkeys(("ok", "refused", "needs-restart"), 0) | status.reloads
    yield _counter_by("result", "reloads", "Reloads of configuration and rules.", reloads)
    yield from _moment("last_reload", "When that was last done.", status.reloaded_at)


def _read(status: Status) -> Iterator[Metric]:
    yield _counter("read_events", "Lines read.", status.events_read)
    yield _counter("read_bytes", "Bytes of the audit log read.", status.bytes_read)
    yield _counter("malformed_lines", "Lines that are no audit event.", status.malformed_lines)
    waits = status.oldest_unsealed_seconds
    yield _gauge("oldest_unsealed_seconds", "How long the oldest line waits for its seal.", waits)


def _sealed(status: Status) -> Iterator[Metric]:
    yield _counter("sealed_events", "Lines sealed.", status.events_sealed)
    yield _counter("sealed_bytes", "Bytes of the audit log sealed.", status.bytes_sealed)
    records = dict.fromkeys(get_args(Kind), 0) | status.records
    yield _counter_by("kind", "sealed_records", "Records sealed.", records)
    notices = dict.fromkeys(get_args(Reason), 0) | status.notices
    yield _counter_by("reason", "notices", "Notices sealed.", notices)
    yield _gauge("head_sequence", "Number of the newest record; -1 for none.", status.head_seq)
    yield from _moment("last_seal", "When it was sealed.", status.sealed_at)
    yield _gauge("spool_bytes", "What the spool takes.", status.spool_bytes)
    yield _gauge("spool_limit_bytes", "At this size reading stops.", status.spool_limit_bytes)
    yield _gauge("pending_records", "Records that wait for the store.", status.pending_records)
    waits = status.oldest_pending_seconds
    yield _gauge("oldest_unshipped_seconds", "How long ago the oldest of them was sealed.", waits)


def _shipped(status: Status) -> Iterator[Metric]:
    yield _counter("shipped_events", "Lines in the store.", status.events_shipped)
    yield _counter("shipped_bytes", "Bytes of the audit log in the store.", status.bytes_shipped)
    yield _counter("uploaded_bytes", "Bytes sent to the store.", status.uploaded_bytes)
    newest = status.shipped_seq
    yield _gauge("shipped_sequence", "Number of the newest record in the store.", newest)
    yield from _moment("last_ship", "When the store took it.", status.shipped_at)
    failed = status.store_errors
    yield _counter_by("code", "store_errors", "Calls to the store that failed.", failed)


def _rules(status: Status) -> Iterator[Metric]:
    yield _gauge("rules", "Rules in force.", status.rules)
    yield _counter("rules_seconds", "Time that the rules have taken.", status.rules_seconds)
    labels = ("rule", "severity", "verdict", "mode")
    findings = CounterMetricFamily(f"{NAMESPACE}_findings", "Findings sealed.", labels=labels)
    alarming: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
    for one in status.findings:
        findings.add_metric((one.rule, one.severity, one.verdict, one.mode), one.count)
        if (one.verdict, one.mode) == ("match", "alert"):
            alarming[one.severity] += one.count
    yield findings
    says = "Findings that match, of rules that alert; each severity is there from the start."
    yield _counter_by("severity", "matches", says, alarming)


def _alerts(status: Status) -> Iterator[Metric]:
    receivers = status.alerts
    labels = ("receiver", "outcome")
    alerts = CounterMetricFamily(
        f"{NAMESPACE}_alerts", "Alerts, by what became of them.", labels=labels
    )
    for name, one in receivers.items():
        alerts.add_metric((name, "told"), one.told)
        alerts.add_metric((name, "held-back"), one.held_back)
        alerts.add_metric((name, "dead"), one.dead)
    yield alerts
    failed = {name: one.failed for name, one in receivers.items()}
    yield _counter_by("receiver", "alert_failures", "Tries that failed.", failed)
    wrong = {name: bool(one.trouble) for name, one in receivers.items()}
    yield _gauge_by("receiver", "receiver_trouble", "Whether the last try failed.", wrong)
    waiting = {name: one.pending_records for name, one in receivers.items()}
    says = "Records with alerts that the receiver was not told yet."
    yield _gauge_by("receiver", "alerts_pending_records", says, waiting)
    dropped = status.alerts_dropped
    yield _counter("alerts_dropped_records", "Records whose alerts were dropped.", dropped)


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", says, value=value)


def _counter(name: str, says: str, value: float) -> Metric:
    return CounterMetricFamily(f"{NAMESPACE}_{name}", says, value=value)


def _gauge_by(label: str, name: str, says: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"{NAMESPACE}_{name}", says, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _counter_by(label: str, name: str, says: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(f"{NAMESPACE}_{name}", says, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _moment(name: str, says: str, when: datetime | None) -> Iterator[Metric]:
    """Nothing, as long as it has not happened."""
    if when is not None:
        yield _gauge(f"{name}_timestamp_seconds", says, when.timestamp())
