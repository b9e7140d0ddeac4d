"""`watch` on the command line: one round with the code of `verify`, or a daemon until told."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import commands
from shipper.errors import ConfigError
from tests.daemon import Place
from tests.health.support import get
from tests.process import AUDIT_SHIPPER


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.log.write_bytes(b"one\n")
    place.once()
    return place


def arguments(place: Place, *options: str) -> list[str]:
    head = place.root / "state" / "heads.json"
    return ["watch", place.url, "--key", str(place.public), "--head", str(head), *options]


def watch(place: Place, *options: str) -> Result:
    return CliRunner().invoke(commands, arguments(place, *options))


@contextmanager
def watching(place: Place, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    with (place.root / "said").open("ab") as said:
        process = subprocess.Popen(
            [*AUDIT_SHIPPER, *arguments(place, *options)], stderr=said, stdout=said
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def lines(place: Place, event: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in (place.root / "said").read_text().splitlines()]
    return [line for line in found if line["event"] == event]


def wait_for(place: Place, event: str, count: int = 1) -> list[dict[str, object]]:
    deadline = time.monotonic() + 20
    while len(found := lines(place, event)) < count:
        assert time.monotonic() < deadline, (place.root / "said").read_text()
        time.sleep(0.02)
    return found


def test_one_round_prints_the_report(place: Place) -> None:
    """With the exit code of `verify`: nothing wrong, then a log that has shrunk."""
    good = watch(place, "--once")
    assert (good.exit_code, "integrity     holds" in good.stdout) == (0, True)
    for path in place.archive.glob("c1/n1/*/manifest/000000000002-*"):
        path.unlink()
    bad = watch(place, "--once", "--output", "json")
    assert bad.exit_code == 4
    report = json.loads(bad.stdout[bad.stdout.index("{\n") :])
    assert report["verdicts"]["completeness"] == "fails"


def test_a_retired_log_may_be_silent(place: Place) -> None:
    """For `watch` and for `verify`."""
    (log,) = place.archive.glob("c1/n1/*")
    origin = f"audit-shipper/c1/n1/{log.name}"
    time.sleep(0.01)
    assert watch(place, "--once", "--max-age", "1ms").exit_code == 5
    assert watch(place, "--once", "--max-age", "1ms", "--retired", origin).exit_code == 0
    assert place.verify("--max-age", "1ms", "--retired", origin) == 0


def test_a_daemon_makes_its_rounds_and_ends_when_told(place: Place) -> None:
    """It serves its metrics meanwhile."""
    with watching(place, "--every", "100ms", "--listen", "127.0.0.1:0") as process:
        (listening,) = wait_for(place, "health_listening")
        wait_for(place, "watch_round", 2)
        port = int(str(listening["port"]))
        metrics = asyncio.run(get(port, "/metrics"))
        assert b"audit_shipper_watch_exit_code 0.0" in metrics.body
        assert asyncio.run(get(port, "/readyz")).status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--once", "--listen", "127.0.0.1:0"], "--once ends"),
        (["--listen", "nowhere"], "is no address"),
        (["--max-age", "soon"], "not a duration"),
        (["--locked-until", "soon"], "is no moment"),
        (["--alerts", "/none.yaml"], "there is no configuration at /none.yaml"),
    ],
)
def test_mistakes_are_told_before_anything_is_read(
    place: Place, options: list[str], says: str
) -> None:
    """And nothing is written."""
    done = watch(place, *options)
    assert isinstance(done.exception, ConfigError)
    assert says in str(done.exception)
    assert not (place.root / "state").exists()


def test_the_receivers_are_a_file_of_their_own(place: Place) -> None:
    """With the section `alerts` and nothing else; its mistakes are named like a configuration's."""
    page = place.root / "alerts.yaml"
    page.write_text("alerts: []\nsource: {}\n")
    done = watch(place, "--once", "--alerts", str(page))
    assert "source: unknown key" in str(done.exception)
    page.write_text("alerts: [{type: slack, name: a b}]\n")
    assert "there are 2 mistakes" in str(watch(place, "--once", "--alerts", str(page)).exception)
    page.write_text("alerts: []\n")
    assert watch(place, "--once", "--alerts", str(page)).exit_code == 0
