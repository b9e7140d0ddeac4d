"""The metrics of a round, and docs/watch.md, which has each of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from shipper.watch.alarms import alarms
from shipper.watch.memory import Memory, step
from shipper.watch.metrics import families
from shipper.watch.round import Round
from tests.conftest import ROOT
from tests.verify.archive import BEGIN, ORIGIN, Log, keys_of, objects, small, verify

PAGE = (ROOT / "docs" / "watch.md").read_text()
NOW = BEGIN + timedelta(hours=2)


def round_of(log: Log, memory: Memory | None = None, **asked: object) -> Round:
    report = verify(log.store, **asked).report  # type: ignore[arg-type]
    return Round(report, [], step(memory or Memory(), alarms(report), NOW), 1.5)


def samples(done: Round) -> dict[tuple[str, ...], float]:
    """By the metric's name and its labels' values, in the order of the labels' names."""
    return {
        (
            sample.name.removeprefix("audit_shipper_watch_"),
            *dict(sorted(sample.labels.items())).values(),
        ): sample.value
        for family in families(done)
        for sample in family.samples
    }


def test_every_metric_stands_in_the_page() -> None:
    """With its labels; and the page has no other."""
    log = small()
    objects(log)[keys_of(log, "events/")[0]] = b"changed"
    done = round_of(log, max_age_seconds=60.0)
    found = {
        (sample.name, frozenset(sample.labels))
        for family in families(done)
        for sample in family.samples
    }
    rows = [
        line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| `audit_")
    ]
    documented = {(row[0].strip(" `"), frozenset(re.findall(r"`(\w+)`", row[2]))) for row in rows}
    assert (
        found | {("audit_shipper_watch_first_lock_end_timestamp_seconds", frozenset({"log"}))}
        == documented
    )


def test_a_good_archive_in_numbers() -> None:
    """Head, exit code, and a verdict for each that was asked."""
    found = samples(round_of(small()))
    assert found["exit_code",] == 0
    assert found["head_sequence", ORIGIN] == 7
    assert found["verdict", ORIGIN, "holds", "integrity"] == 1
    assert found["verdict", ORIGIN, "fails", "integrity"] == 0
    assert ("verdict", ORIGIN, "holds", "freshness") not in found
    assert datetime.fromtimestamp(found["last_round_timestamp_seconds",], UTC) == NOW


def test_what_is_wrong_is_counted_by_code() -> None:
    """And its verdict fails."""
    log = small()
    objects(log)[keys_of(log, "events/")[0]] = b"changed"
    found = samples(round_of(log))
    assert found["verdict", ORIGIN, "fails", "integrity"] == 1
    assert found["exit_code",] == 1
    assert sum(n for key, n in found.items() if key[0] == "problems") >= 1
