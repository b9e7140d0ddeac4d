"""Metrics in Prometheus' form: the one place that knows `prometheus_client`. Counts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

__all__ = ["Metric"]

NAMESPACE = "audit_shipper"


class Exporter:
    """Writes metrics in the form that a scraper asks for, with those of this process if asked."""

    def __init__(self, *, process: bool) -> None:
        self._registry = CollectorRegistry()
        if process:
            ProcessCollector(registry=self._registry)
        self._shown: Iterable[Metric] = ()
        self._registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """What `prometheus_client` asks of a collector."""
        return self._shown

    def render(self, shown: Iterable[Metric], accept: str = "") -> tuple[bytes, str]:
        """The text, and its content type, for an `Accept` header."""
        encode, content_type = choose_encoder(accept)
        self._shown = shown
        return encode(self._registry), content_type


def info(name: str, says: str, values: dict[str, str]) -> Metric:
    """1, with texts as labels."""
    return InfoMetricFamily(f"{NAMESPACE}_{name}", says, value=values)


def gauge(name: str, says: str, value: float) -> Metric:
    """A number that goes up and down."""
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", says, value=value)


def counter(name: str, says: str, value: float) -> Metric:
    """A number that goes up; `_total` is added to its name."""
    return CounterMetricFamily(f"{NAMESPACE}_{name}", says, value=value)


def gauge_of(labels: tuple[str, ...], name: str, says: str) -> GaugeMetricFamily:
    """Several, to be added with their labels' values."""
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", says, labels=labels)


def counter_of(labels: tuple[str, ...], name: str, says: str) -> CounterMetricFamily:
    """Several, to be added with their labels' values."""
    return CounterMetricFamily(f"{NAMESPACE}_{name}", says, labels=labels)


def gauge_by(label: str, name: str, says: str, values: Mapping[str, float]) -> Metric:
    """One for each value of a label."""
    family = gauge_of((label,), name, says)
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def counter_by(label: str, name: str, says: str, values: Mapping[str, float]) -> Metric:
    """One for each value of a label."""
    family = counter_of((label,), name, says)
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def moment(name: str, says: str, when: datetime | None) -> Iterator[Metric]:
    """When it happened last; nothing, as long as it has not."""
    if when is not None:
        yield gauge(f"{name}_timestamp_seconds", says, when.timestamp())
