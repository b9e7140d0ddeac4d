"""Names of rotated files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shipper.audit.siblings import list_others, list_siblings, stamp_of
from shipper.errors import SourceError
from tests.conftest import DATA


def test_a_stamp_is_read_as_utc_milliseconds() -> None:
    """The time in a rotated file's name is UTC to the millisecond."""
    name = "audit-2026-11-23T15-11-32.194.log"
    expected = datetime(2026, 11, 23, 15, 11, 32, 194000, tzinfo=UTC)
    live = Path("/logs/audit.log")
    assert stamp_of(live, name) == stamp_of(live, name + ".gz") == expected


@pytest.mark.parametrize(
    "name",
    [
        "audit.log",
        "audit.log.1",
        "audit-2026-11-23T15-11-32.194.txt",
        "audit-2026-11-23T15-11-32.log",
        "audit-2026-13-23T15-11-32.194.log",
        "audit-2026-11-23T15-11-32.194.log.gz.gz",
        "audit-2026-11-23T15-11-32.1945.log",
        "audit-٢026-11-23T15-11-32.194.log",
        "other-2026-11-23T15-11-32.194.log",
        "audit-.log",
        "audit-",
        "",
    ],
)
def test_other_names_are_no_siblings(name: str) -> None:
    """Only a name that lumberjack gives makes a sibling."""
    assert stamp_of(Path("/logs/audit.log"), name) is None


@pytest.mark.parametrize(
    ("live", "name"),
    [
        ("kube.audit.log", "kube.audit-2026-11-23T15-11-32.194.log"),
        ("audit", "audit-2026-11-23T15-11-32.194"),
        (".log", "-2026-11-23T15-11-32.194.log"),
    ],
)
def test_stem_and_extension_are_cut_as_lumberjack_does(live: str, name: str) -> None:
    """The stamp stands before the last extension of the live file's name, if it has one."""
    assert stamp_of(Path("/logs") / live, name) is not None


def test_siblings_are_listed_in_time_order(tmp_path: Path) -> None:
    """Oldest first, a file beside its half-written gzip once, and nothing else."""
    names = [
        "audit-2026-11-23T15-11-32.194.log.gz",
        "audit-2026-11-23T15-11-35.502.log",
        "audit-2026-11-23T15-11-35.502.log.gz",
        "audit-2026-12-01T00-00-00.000.log",
    ]
    for name in [*reversed(names), "audit.log", "audit.log.1", "audit-policy.yaml", "other"]:
        (tmp_path / name).touch()
    (tmp_path / "audit-2026-12-01T00-00-01.000.log").mkdir()
    (tmp_path / "audit-2026-12-01T00-00-02.000.log").symlink_to("other")
    found = [sibling.path.name for sibling in list_siblings(tmp_path / "audit.log")]
    assert found == [names[0], names[1], names[3]]
    others = [path.name for path in list_others(tmp_path / "audit.log")]
    assert others == ["audit-policy.yaml", "audit.log.1"]


def test_recorded_names_sort_as_they_were_written(tmp_path: Path) -> None:
    """The names of a real run are in the order in which they were rotated."""
    order = (DATA / "rotation" / "gzip-1MB-keep12" / "order.txt").read_text().split()
    for name in order:
        (tmp_path / name).touch()
    found = [sibling.path.name for sibling in list_siblings(tmp_path / "audit.log")]
    assert [*found, "audit.log"] == order


def test_a_directory_that_is_not_there_has_no_siblings(tmp_path: Path) -> None:
    """The API server may not have created it yet."""
    assert list_siblings(tmp_path / "logs" / "audit.log") == []


def test_a_closed_directory_is_an_error_with_a_remedy(unprivileged: Path) -> None:
    """Who may not list the directory is told what to change."""
    unprivileged.chmod(0)
    with pytest.raises(SourceError, match="CAP_DAC_READ_SEARCH"):
        list_siblings(unprivileged / "audit.log")
