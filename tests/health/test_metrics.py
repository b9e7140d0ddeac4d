"""The metrics say what the status says, and docs/metrics.md has each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from msgspec import structs
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from shipper.health.families import Exporter
from shipper.health.metrics import families
from shipper.health.status import FindingCount, Status
from tests.conftest import ROOT
from tests.health.samples import BAD, HOSTILE, WELL

PAGE = (ROOT / "docs" / "metrics.md").read_text()
UNIT_OR_THING = re.compile(r"audit_shipper_[a-z]+(_[a-z]+)*")


def samples(status: Status) -> dict[tuple[str, ...], float]:
    """Values by the metric's name and its labels' values."""
    return {
        (sample.name.removeprefix("audit_shipper_"), *sample.labels.values()): sample.value
        for family in families(status)
        for sample in family.samples
    }


def documented() -> Iterator[tuple[str, str, frozenset[str]]]:
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith("`audit_shipper_"):
            yield cells[0].strip("`"), cells[1], frozenset(re.findall(r"`(\w+)`", cells[2]))


def real(family: Metric) -> Iterator[tuple[str, str, frozenset[str]]]:
    kind = "gauge" if family.type == "info" else family.type
    for name, labels in {(s.name, frozenset(s.labels)) for s in family.samples}:
        yield name, kind, labels


def test_every_metric_stands_in_the_page() -> None:
    """With its type and its labels; and the page has no other."""
    found = {row for family in families(BAD) for row in real(family)}
    assert found == set(documented())


def test_names_are_prometheus_names() -> None:
    """A counter ends in `_total`, and nothing else does."""
    for name, kind, _ in documented():
        assert UNIT_OR_THING.fullmatch(name)
        assert name.endswith("_total") == (kind == "counter")


def test_numbers_are_those_of_the_status() -> None:
    """A few of each kind."""
    found = samples(BAD)
    assert found["head_sequence",] == 1234
    assert found["read_events_total",] == 1_234_567
    assert found["oldest_unshipped_seconds",] == 90_000
    assert found["spool_bytes",] == found["spool_limit_bytes",]
    assert found["store_errors_total", "AccessDenied"] == 12
    assert found["trouble", "store-refused"] == 1
    assert found["trouble", "store-failing"] == 0
    assert found["alerts_total", "pager", "held-back"] == 4
    assert found["receiver_trouble", "pager"] == 1
    assert found["rule_cpu_seconds_total", "pod-exec"] == 1.25
    assert found["last_seal_timestamp_seconds",] == BAD.sealed_at.timestamp()  # type: ignore[union-attr]
    assert (samples(WELL)["ready",], found["ready",]) == (1, 0)


def test_only_findings_that_alert_are_matches() -> None:
    """Neither those in shadow nor those that could not be decided; the others begin at 0."""
    found = samples(WELL)
    by_severity = {key[1]: n for key, n in found.items() if key[0] == "matches_total"}
    assert by_severity == {"info": 0, "low": 0, "medium": 0, "high": 3, "critical": 0}
    assert found["findings_total", "new-rule", "critical", "match", "shadow"] == 5


def test_what_alerts_ask_for_is_there_before_it_happens() -> None:
    """`increase` sees no first event of a series that comes with it."""
    found = samples(WELL)
    assert found["notices_total", "clock-step"] == 0
    assert found["sealed_records_total", "shutdown"] == 0
    assert found["reloads_total", "refused"] == 0


def test_what_has_not_happened_has_no_time() -> None:
    """No reload yet: no moment of it, rather than one in 1970."""
    assert ("last_reload_timestamp_seconds",) not in samples(WELL)


@pytest.mark.parametrize(
    "accept", ["", "text/plain", "application/openmetrics-text; version=1.0.0"]
)
def test_both_forms_can_be_read(accept: str) -> None:
    """Hostile text in a label harms neither; the process's own metrics are there too."""
    hostile = FindingCount(HOSTILE + '"\\\n', "high", "match", "alert", 1)
    shown = families(structs.replace(BAD, findings=[hostile]))
    body, content_type = Exporter(process=True).render(shown, accept)
    parse = open_metrics if "openmetrics" in content_type else plain_text
    found = {sample.name: sample for one in parse(body.decode()) for sample in one.samples}
    assert found["audit_shipper_findings_total"].labels["rule"] == HOSTILE + '"\\\n'
    assert found["process_resident_memory_bytes"].value > 0
