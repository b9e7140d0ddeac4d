"""The whole daemon answers on its health port, and the port never harms the recording."""

from __future__ import annotations

import json
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.daemon import Place
from tests.process import Daemon, append, running

LISTEN = {"listen": "127.0.0.1:0"}


class Asking:
    """A client of a running daemon."""

    def __init__(self, daemon: Daemon) -> None:
        daemon.wait_for_event("health_listening")
        lines = [json.loads(line) for line in daemon.said.read_text().splitlines()]
        (port,) = [line["port"] for line in lines if line["event"] == "health_listening"]
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self._url + path, timeout=10) as answer:  # noqa: S310 our own
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/status.json")[1])
        return found

    def metrics(self) -> dict[str, float]:
        """Those without labels."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        return {s.name: s.value for one in families for s in one.samples if not s.labels}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def daemon(place: Place) -> Iterator[Daemon]:
    append(place, b"one\ntwo\n")
    with running(place, health=LISTEN) as daemon:
        yield daemon


def test_what_is_read_sealed_and_shipped_is_counted(place: Place, daemon: Daemon) -> None:
    """All three agree once all is in the store, over a restart too; the head is the archive's."""
    asking = Asking(daemon)
    append(place, b"three\n")
    daemon.wait_for(lambda: asking.metrics()["audit_shipper_shipped_events_total"] == 3, "3 lines")
    found = asking.metrics()
    for verb in ("read", "sealed", "shipped"):
        assert found[f"audit_shipper_{verb}_events_total"] == 3
        assert found[f"audit_shipper_{verb}_bytes_total"] == 14
    assert found["audit_shipper_malformed_lines_total"] == 3
    daemon.wait_for(lambda: asking.status()["pending_records"] == 0, "the store")
    status = asking.status()
    assert status["troubles"] == []
    sealed = place.archive.glob(f"c1/n1/*/manifest/{status['head_seq']:012d}-*")
    assert len(list(sealed)) == 1
    assert (asking.get("/livez"), asking.get("/readyz")) == ((200, "ok\n"), (200, "ok\n"))
    assert "All is well" in asking.get("/")[1]


def test_a_store_that_is_away_is_shown_and_kills_nobody(place: Place) -> None:
    """Alive and ready; the page says what to do, and what waits."""
    place.archive.write_bytes(b"a file where the archive should be")
    append(place, b"one\n")
    with running(place, health=LISTEN) as daemon:
        asking = Asking(daemon)
        daemon.wait_for(lambda: asking.status()["pending_records"] > 1, "records that wait")
        assert (asking.get("/livez")[0], asking.get("/readyz")[0]) == (200, 200)
        daemon.wait_for(lambda: bool(asking.status()["troubles"]), "the trouble")
        status = asking.status()
        assert status["troubles"][0]["code"] in ("store-failing", "store-refused")
        assert sum(status["store_errors"].values()) > 0
        assert "What to do now" in asking.get("/")[1]


def test_a_log_that_is_not_there_yet(place: Place) -> None:
    """Not ready, with the path; ready once the API server has begun to write."""
    with running(place, health=LISTEN) as daemon:
        asking = Asking(daemon)
        code, says = asking.get("/readyz")
        assert (code, str(place.log) in says or says == "starting\n") == (503, True)
        append(place, b"one\n")
        daemon.wait_for(lambda: asking.get("/readyz")[0] == 200, "readiness")
        assert asking.get("/livez")[0] == 200


def test_a_busy_port_stops_no_recording(place: Place) -> None:
    """It is logged, the log is sealed and shipped, and the daemon ends as always."""
    append(place, b"one\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with running(place, health={"listen": listen}) as daemon:
            daemon.wait_for_event("health_not_listening")
            daemon.wait_for(lambda: place.archived() == b"one\n", "the line")
            assert daemon.end(signal.SIGTERM) == 0
    assert place.verify() == 0


def test_reloads_are_shown(place: Place, daemon: Daemon) -> None:
    """A mistake is named until it is mended; the configuration's hash is the one in force."""
    asking = Asking(daemon)
    daemon.wait_for(lambda: asking.status()["ready"], "readiness")
    before = asking.status()["config_sha256"]
    good = daemon.config.read_text()
    daemon.config.write_text("nonsense: true\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(lambda: asking.status()["reload_result"] == "refused", "the refusal")
    assert [one["code"] for one in asking.status()["troubles"]] == ["reload-refused"]
    daemon.config.write_text(good.replace("catalog: none", "catalog: default"))
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for(lambda: bool(asking.status()["notices"]), "the rules")
    status = asking.status()
    assert status["rules"] > 50
    assert (status["reload_result"], status["troubles"]) == ("ok", [])
    assert status["config_sha256"] != before
    assert status["notices"] == {"config-changed": 1}
