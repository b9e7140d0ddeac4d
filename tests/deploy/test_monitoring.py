"""deploy/monitoring: every alert fires when it should and not before; every query asks for metrics
that there are; every alert leads to its runbook entry."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from shipper.health.metrics import families
from shipper.health.troubles import MEANINGS
from shipper.watch.metrics import families as families_of_watch
from tests.conftest import ROOT
from tests.deploy.monitoring import MONITORING, OPERATOR, RULES, alerts, for_the_operator
from tests.docs.pages import anchors
from tests.health.samples import BAD
from tests.verify.archive import small
from tests.watch.test_metrics import round_of

NODE = 'job="audit-shipper",instance="cp-1"'
RUNBOOK = ROOT / "docs" / "operations.md"
PROCESS = {
    "up",
    *(f"process_{name}" for name in ("cpu_seconds_total", "resident_memory_bytes", "open_fds")),
}


class Case(NamedTuple):
    """Series (name with labels -> values a minute), those of the alert's labels that are not the
    node's, and the same alert's series while all is well."""

    fires: dict[str, str]
    labels: dict[str, str]
    quiet: dict[str, str]


def trouble(code: str, minutes: int) -> Case:
    """A trouble that lasts, and one that passes by."""
    series = f'audit_shipper_trouble{{{NODE},code="{code}"}}'
    before = minutes - 1
    passing = f"0x{30 - before} 1x{before - 1} 0x10" if before > 0 else "0x40"
    return Case({series: "0x10 1x30"}, {"code": code}, {series: passing})


def counted(series: str, **labels: str) -> Case:
    """A counter that moves, and one that does not."""
    named = "".join(f',{name}="{value}"' for name, value in labels.items())
    full = f"{series}{{{NODE}{named}}}"
    return Case({full: "0x28 1x12"}, labels, {full: "3x40"})


def verdict(name: str, state: str = "fails") -> dict[str, str]:
    series = 'audit_shipper_watch_verdict{log="a/b/c/d",verdict="%s",state="%s"}'
    return {series % (name, state): "0x2 1x40"}


HOLDS = {'audit_shipper_watch_verdict{log="a/b/c/d",verdict="integrity",state="fails"}': "0x40"}
LOG = {"log": "a/b/c/d"}
ROUND = "audit_shipper_watch_last_round_timestamp_seconds"

CASES: dict[str, Case] = {
    "AuditShipperDown": Case(
        {f"up{{{NODE}}}": "1x20 0x20"}, {}, {f"up{{{NODE}}}": "1x27 0x1 1x10"}
    ),
    "AuditShipperSilent": trouble("not-sealing", 1),
    "AuditShipperNotReading": trouble("source-missing", 5),
    "AuditShipperDiskRefuses": trouble("spool-refused", 2),
    "AuditShipperSpoolFull": trouble("spool-full", 0),
    "AuditShipperSpoolFilling": Case(
        {
            f"audit_shipper_spool_bytes{{{NODE}}}": "60x40",
            f"audit_shipper_spool_limit_bytes{{{NODE}}}": "100x40",
        },
        {},
        {
            f"audit_shipper_spool_bytes{{{NODE}}}": "50x40",
            f"audit_shipper_spool_limit_bytes{{{NODE}}}": "100x40",
        },
    ),
    "AuditShipperNothingShipped": Case(
        {f"audit_shipper_oldest_unshipped_seconds{{{NODE}}}": "0+60x40"},
        {},
        {f"audit_shipper_oldest_unshipped_seconds{{{NODE}}}": "900x40"},
    ),
    "AuditShipperStoreRefuses": trouble("store-refused", 5),
    "AuditShipperStoreFailing": trouble("store-failing", 15),
    "AuditShipperShippingStopped": trouble("shipping-stopped", 0),
    "AuditShipperLockWeak": trouble("store-weak", 0),
    "AuditShipperReloadRefused": trouble("reload-refused", 5),
    "AuditShipperRestartNeeded": Case(
        {f'audit_shipper_trouble{{{NODE},code="restart-needed"}}': "1x100"},
        {"code": "restart-needed"},
        {f'audit_shipper_trouble{{{NODE},code="restart-needed"}}': "0x20 1x100"},
    ),
    "AuditShipperReceiverFailing": Case(
        {f'audit_shipper_receiver_trouble{{{NODE},receiver="soc"}}': "1x40"},
        {"receiver": "soc"},
        {f'audit_shipper_receiver_trouble{{{NODE},receiver="soc"}}': "0x25 1x20"},
    ),
    "AuditShipperAlertsLost": counted("audit_shipper_alerts_total", receiver="soc", outcome="dead"),
    "AuditShipperCriticalFinding": counted("audit_shipper_matches_total", severity="critical"),
    "AuditShipperRulesFail": counted("audit_shipper_findings_total", rule="rules-engine"),
    "AuditShipperLogTouched": counted("audit_shipper_notices_total", reason="gap"),
    "AuditShipperEventsMissing": counted("audit_shipper_unbalanced_events_total", kind="missing"),
    "AuditShipperEventsGained": counted("audit_shipper_unbalanced_events_total", kind="gained"),
    "AuditShipperEventsFailed": counted("audit_shipper_unbalanced_events_total", kind="failed"),
    "AuditShipperNotComparing": trouble("apiserver-unreadable", 15),
    "AuditShipperClockStep": counted("audit_shipper_notices_total", reason="clock-step"),
    "AuditWatchFailed": Case(verdict("integrity"), LOG | {"verdict": "integrity"}, HOLDS),
    "AuditWatchLogSilent": Case(verdict("freshness"), LOG, verdict("freshness", "holds")),
    "AuditWatchLockLost": Case(verdict("retention"), LOG, verdict("retention", "holds")),
    "AuditWatchUnknown": Case(verdict("integrity", "unknown"), LOG, HOLDS),
    "AuditWatchStale": Case(
        {f"{ROUND}{{{NODE}}}": "0x200"}, {}, {f"{ROUND}{{{NODE}}}": "0+60x200"}
    ),
    "AuditWatchDown": Case(
        {'up{job="audit-watch",instance="auditor"}': "1x5 0x40"},
        {"job": "audit-watch", "instance": "auditor"},
        {'up{job="audit-watch",instance="auditor"}': "1x20 0x10 1x10"},
    ),
}
AT = {"AuditShipperRestartNeeded": 70, "AuditWatchUnknown": 40, "AuditWatchStale": 100}
"""Minutes after which is looked; 30 for the others."""


def asked(alert: dict[str, Any], case: Case, *, fires: bool) -> dict[str, Any]:
    """One of promtool's tests: the alert is firing with these labels, or it is not."""
    name = alert["alert"]
    by_node = "by (log" not in alert["expr"] or "last_round" in alert["expr"]
    labels = {"alertname": name, "alertstate": "firing"} | alert["labels"]
    if by_node:
        labels |= {"job": "audit-shipper", "instance": "cp-1"}
    labels |= case.labels
    text = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return {
        "interval": "1m",
        "input_series": [
            {"series": series, "values": values}
            for series, values in (case.fires if fires else case.quiet).items()
        ],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{name}",alertstate="firing"}}',
                "eval_time": f"{AT.get(name, 30)}m",
                "exp_samples": [{"labels": f"ALERTS{{{text}}}", "value": 1}] if fires else [],
            }
        ],
    }


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("needs promtool (Debian: prometheus)")
    return subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=120
    )


def test_every_alert_fires_when_it_should(tmp_path: Path) -> None:
    """With its labels; and neither before its time nor while all is well."""
    tests = [asked(a, CASES[a["alert"]], fires=fires) for a in alerts() for fires in (True, False)]
    given = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    path = tmp_path / "tests.yaml"
    path.write_text(yaml.safe_dump(given))
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_no_fault() -> None:
    """Expressions and templates are what Prometheus takes."""
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    """And no test is of an alert that is gone."""
    assert list(CASES) == [alert["alert"] for alert in alerts()]


def test_every_alert_has_a_runbook_entry() -> None:
    """In docs/operations.md, as has every trouble that page and metrics name."""
    entries = anchors(RUNBOOK)
    for alert in alerts():
        page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert (page, anchor in entries) == ("docs/operations.md", True), anchor
    assert set(MEANINGS) <= entries


def test_every_runbook_entry_is_needed() -> None:
    """By an alert or by a trouble."""
    entries = re.findall(r"^### ([a-z-]+)$", RUNBOOK.read_text(), re.MULTILINE)
    led_to = {alert["annotations"]["runbook_url"].partition("#")[2] for alert in alerts()}
    assert set(entries) == led_to | set(MEANINGS)


def test_every_trouble_has_an_alert() -> None:
    """Whatever the page calls wrong calls somebody, who need not look at it."""
    expressions = " ".join(alert["expr"] for alert in alerts())
    for code in MEANINGS:
        led = any(a["annotations"]["runbook_url"].endswith(f"#{code}") for a in alerts())
        assert led or f'"{code}"' in expressions or code.startswith("source-"), code


# ---- queries


def existing() -> dict[str, set[str]]:
    """The metrics that there are, with the names of their labels."""
    found: dict[str, set[str]] = {name: set() for name in PROCESS}
    watched = families_of_watch(round_of(small(), max_age_seconds=1.0))
    for family in (*families(BAD), *watched):
        for name in {sample.name for sample in family.samples} | {family.name}:
            found.setdefault(name, set()).update(*(sample.labels for sample in family.samples))
    return found


def queries() -> Iterator[str]:
    yield from (alert["expr"] for alert in alerts())
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    yield from (one.get("definition", "") for one in dashboard["templating"]["list"])


def test_every_query_asks_for_what_there_is() -> None:
    """Metrics and labels of alerts and of the dashboard."""
    known = existing()
    labels = {"job", "instance", *(label for names in known.values() for label in names)}
    for query in queries():
        bare = re.sub(r'"[^"]*"', "", query)
        names = set(re.findall(r"\b(?:audit_shipper|process)_[a-z_0-9]+", bare))
        assert names <= set(known), query
        inside = " ".join(re.findall(r"(?:\{|by \(|on \(|group_left \()([^})]*)", bare))
        assert set(re.findall(r"\b[a-z_0-9]+\b(?=\s*(?:=|!|,|$|\s))", inside)) - {"g"} <= labels, (
            query
        )


def test_the_dashboard_shows_every_metric() -> None:
    """But some that are for alerts and for those who look for themselves."""
    shown = set(re.findall(r"\w+", " ".join(queries())))
    left_out = {
        "audit_shipper_balances_total",
        "audit_shipper_heartbeat_seconds",
        "audit_shipper_last_reload_timestamp_seconds",
        "audit_shipper_last_ship_timestamp_seconds",
        "audit_shipper_malformed_lines_total",
        "audit_shipper_reloads_total",
        "audit_shipper_rules",
        "audit_shipper_shipped_sequence",
    }
    names = {sample.name for family in families(BAD) for sample in family.samples}
    assert names - shown == left_out


def test_the_dashboard_is_one() -> None:
    """Panels do not lie on each other, and each has an id of its own."""
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_the_operators_rules_are_the_same() -> None:
    """`make monitoring` was run."""
    assert OPERATOR.read_text() == for_the_operator()
