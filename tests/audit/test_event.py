"""The scan of a batch's lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipper.audit.event import EMPTY, EventScan, merge, scan
from tests.audit.support import event, unzstd
from tests.conftest import DATA


def _line(**changes: str) -> bytes:
    fields = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "auditID": "a",
        "stage": "Panic",
        "stageTimestamp": "2026-11-23T15:00:00.000001Z",
    } | changes
    return ("{" + ",".join(f'"{k}":"{v}"' for k, v in fields.items()) + "}\n").encode()


def test_ids_follow_the_file_and_times_the_clock() -> None:
    """First and last id are those of the lines' order; min and max time are those of the clock."""
    found = scan(
        [
            _line(auditID="1", stageTimestamp="2026-11-23T15:00:02.000000Z"),
            _line(auditID="2", stageTimestamp="2026-11-23T15:00:01.000000Z"),
            _line(auditID="3", stageTimestamp="2026-11-23T15:00:04.000000Z"),
            _line(auditID="4", stageTimestamp="2026-11-23T15:00:03.000000Z"),
        ]
    )
    assert found == EventScan(
        "1",
        "4",
        datetime(2026, 11, 23, 15, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 23, 15, 0, 4, tzinfo=UTC),
        0,
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"\0" * 4096,
        b"\xff\xfe",
        b"[]",
        b"null\n",
        b"x" * 100,
        b"[" * 100_000,
        _line()[:-2] + b',"requestObject":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        _line(kind="EventList"),
        _line(apiVersion="v1"),
        _line(apiVersion="audit.k8s.io"),
        _line(auditID="a" * 65),
        _line(auditID="\\ud800"),
        _line(stageTimestamp="2026-11-23T15:00:00"),
        _line(stageTimestamp="2026-13-23T15:00:00Z"),
        _line(stageTimestamp="2026-11-23T15:00:00+02:00"),
        _line(stageTimestamp="0001-01-01T00:00:00+14:00"),
        _line(auditID="\x00"),
        _line().replace(b"Panic", b"\xed\xa0\x80"),
        b'{"kind":"Event","apiVersion":"audit.k8s.io/v1"}',
        b'{"kind":"Eve' + _line(),
    ],
)
def test_what_is_no_audit_event_is_counted(line: bytes) -> None:
    """A line that is not an audit event is malformed, whatever is wrong with it."""
    assert scan([line]) == EventScan(None, None, None, None, 1)
    both = scan([_line(), line, _line()])
    assert both == scan([_line(), _line()])._replace(malformed=1)


@pytest.mark.parametrize(
    "line",
    [
        _line(apiVersion="audit.k8s.io/v2"),
        _line(auditID="a" * 64),
        _line(auditID="\\u0000"),
        _line(stage="Unheard"),
        _line(unknown="field"),
        _line().rstrip(),
        b"  " + _line(),
    ],
)
def test_every_audit_event_counts(line: bytes) -> None:
    """Versions, stages and fields that are not known yet do not make a line malformed."""
    assert scan([_line(), line]).malformed == 0
    assert scan([line]).malformed == 0


@given(st.lists(st.binary() | st.sampled_from([_line(auditID="x"), _line(auditID="y")])))
def test_scan_survives_any_bytes(lines: list[bytes]) -> None:
    """No line can stop the scan, and each is either an event or counted."""
    assert 0 <= scan(lines).malformed <= len(lines)


@given(st.lists(st.integers(0, 50) | st.just(-1), max_size=8), st.integers(0, 8))
def test_merged_scans_are_the_scan_of_all(numbers: list[int], cut: int) -> None:
    """Scanning in two runs gives what scanning at once gives."""
    lines = [b"?" if n < 0 else event(n, datetime(2026, 1, 1, 0, n, tzinfo=UTC)) for n in numbers]
    assert merge(scan(lines[:cut]), scan(lines[cut:])) == scan(lines)
    assert merge(EMPTY, scan(lines)) == scan(lines)


@pytest.mark.parametrize(
    ("name", "lines", "malformed"),
    [("sigkill-joined-lines.log.zst", 8, 2), ("enospc-joined-lines.log.zst", 583, 2)],
)
def test_recorded_joined_lines_are_malformed(name: str, lines: int, malformed: int) -> None:
    """A line that an API server appended to a torn one counts as one that is no event."""
    data = unzstd(DATA / "torn" / name).splitlines()
    assert (len(data), scan(data).malformed) == (lines, malformed)


def test_recorded_events_are_all_recognised(shared: Path) -> None:
    """Every line of a real API server's log is an audit event."""
    lines = unzstd(shared / "corpora" / "lifecycle" / "audit.log.zst").splitlines()
    found = scan(lines)
    assert len(lines) == 4458
    assert found.malformed == 0
    assert found.first_audit_id is not None
