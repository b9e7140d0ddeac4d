"""What is wrong with the store is said at once, then ever more rarely, and never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shipper.errors import RefusedError, StoreError
from shipper.logs import make_logger
from shipper.pipeline.progress import Progress
from shipper.pipeline.trouble import MAX_SECONDS, Trouble
from shipper.spool.spool import TROUBLE, Spool
from tests.pipeline.test_ship import Clock


class Said:
    """A `Trouble`, and all that it says."""

    def __init__(self, path: Path) -> None:
        self.lines: list[dict[str, object]] = []
        self.path = path / TROUBLE
        self.clock = Clock(0)
        self.progress = Progress()
        self.trouble = Trouble(
            "s3://b",
            spool=Spool(path),
            clock=self.clock,
            logger=make_logger(
                level="info", form="json", write=lambda line: self.lines.append(json.loads(line))
            ),
            progress=self.progress,
        )

    @property
    def events(self) -> list[object]:
        return [line["event"] for line in self.lines]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    return Said(tmp_path)


def test_the_first_failure_is_said(said: Said) -> None:
    """At once, with the reason and the pause; `status` finds it too."""
    said.trouble.failed(StoreError("no route"), 0.25)
    assert said.events == ["store_failed"]
    assert (said.lines[0]["error"], said.lines[0]["retry_seconds"]) == ("no route", 0.25)
    assert said.path.read_text() == "no route\n"
    assert said.progress.trouble == "no route"


def test_what_needs_a_person_is_an_error(said: Said) -> None:
    """A refusal is told from an outage."""
    said.trouble.failed(RefusedError("NoSuchBucket"), 5)
    assert (said.events, said.lines[0]["level"]) == (["store_refused"], "error")


def test_a_day_of_failures_is_no_flood(said: Said) -> None:
    """A failure a second for a day gives about a line a minute, each with the count."""
    for _ in range(86_400):
        said.clock.seconds += 1
        said.trouble.failed(StoreError("no route"), 1)
    assert 86_400 / MAX_SECONDS <= len(said.lines) < 86_400 / MAX_SECONDS + 10
    assert said.lines[-1]["failures"] == pytest.approx(86_400, abs=MAX_SECONDS)


def test_the_end_is_said_once(said: Said) -> None:
    """And nothing is left for `status`."""
    said.trouble.failed(StoreError("no route"), 1)
    said.trouble.answered()
    said.trouble.answered()
    assert said.events == ["store_failed", "store_recovered"]
    assert not said.path.exists()
    assert said.progress.trouble == ""


def test_every_other_call_failing_is_no_flood(said: Said) -> None:
    """Failing and answering in turns is said as rarely as failing alone."""
    for _ in range(1000):
        said.clock.seconds += 0.1
        said.trouble.failed(StoreError("503"), 0.1)
        said.trouble.answered()
    assert len(said.lines) < 30


def test_what_is_not_said_again_is_in_status(said: Said) -> None:
    """A second outage within the silence of the first one is there for whoever asks."""
    for _ in range(5):
        said.trouble.failed(StoreError("no route"), 1)
        said.trouble.answered()
    said.trouble.failed(StoreError("503"), 1)
    assert said.events == ["store_failed", "store_recovered"]
    assert said.path.read_text() == "503\n"
    said.trouble.answered()
    assert not said.path.exists()


def test_a_refusal_is_said_at_once_in_an_outage(said: Said) -> None:
    """That a person is needed does not wait for the silence about failures to end."""
    for _ in range(100):
        said.clock.seconds += 1
        said.trouble.failed(StoreError("no route"), 1)
    said.lines.clear()
    said.trouble.failed(RefusedError("NoSuchBucket"), 5)
    assert said.events == ["store_refused"]
    assert said.path.read_text() == "NoSuchBucket\n"


def test_a_weak_lock_stands_until_the_end(said: Said) -> None:
    """An alarm that an answer does not take back, in `status` and in the terminal's line."""
    said.trouble.weak("GOVERNANCE")
    said.trouble.weak("GOVERNANCE")
    assert (said.events, said.lines[0]["level"]) == (["store_weak"], "critical")
    said.trouble.failed(StoreError("503"), 1)
    said.trouble.answered()
    assert "GOVERNANCE" in said.path.read_text()
    assert "GOVERNANCE" in said.progress.trouble
    assert "GOVERNANCE" in said.progress.weak


def test_a_restart_forgets(said: Said, tmp_path: Path) -> None:
    """What was wrong for the last daemon is not said of this one."""
    said.trouble.failed(StoreError("no route"), 1)
    assert said.path.exists()
    again = tmp_path / "again"
    again.mkdir()
    (again / TROUBLE).write_text("old\n")
    assert not Said(again).path.exists()
