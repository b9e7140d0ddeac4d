"""`status` asks the daemon, and where it is silent, its spool; the exit code says whether all is
well."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import json as encoding
from msgspec import structs

from shipper.cli.main import commands
from shipper.errors import SpoolError
from tests.daemon import Place
from tests.health.samples import WELL
from tests.process import append, running


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def status(place: Place, listen: str, *options: str) -> Result:
    page = place.root / "status.yaml"
    page.write_text(place.yaml(health={"listen": listen}))
    return CliRunner().invoke(commands, ["status", "--config", str(page), *options])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


class Impostor(http.server.BaseHTTPRequestHandler):
    """What has the daemon's port, and answers anything."""

    body = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def impostor() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Impostor) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_running_daemon_answers_itself(place: Place) -> None:
    """Counts that only it knows; 0 while all is well."""
    append(place, b"one\n")
    listen = f"127.0.0.1:{free_port()}"
    with running(place, health={"listen": listen}) as daemon:
        daemon.wait_for_event("health_listening")
        daemon.wait_for(lambda: place.archived() == b"one\n", "the line")
        daemon.wait_for(lambda: status(place, listen).exit_code == 0, "a status")
        shown = status(place, listen)
        assert "1 lines, 4 B since the start" in shown.output
        assert shown.output.endswith("\nAll is well\n")
        found = json.loads(status(place, listen, "--output", "json").output)
        assert (found["running"], found["troubles"], found["events_shipped"]) == (True, [], 1)


def test_a_daemon_that_is_silent(place: Place) -> None:
    """The spool tells head and backlog; 3, and what to do."""
    place.log.write_bytes(b"one\n")
    place.once()
    shown = status(place, f"127.0.0.1:{free_port()}")
    assert shown.exit_code == 3
    assert "head               2 " in shown.output
    assert "not-running: The daemon does not answer: 127.0.0.1:" in shown.output
    assert "since the start" not in shown.output


def test_without_a_port_the_spool_tells_all(place: Place) -> None:
    """Before the first record that is an error; then 0, since nobody was asked in vain."""
    before = status(place, "").exception
    assert isinstance(before, SpoolError)
    assert (before.exit_code, "has no record yet" in str(before)) == (3, True)
    place.log.write_bytes(b"one\n")
    place.once()
    shown = status(place, "")
    assert (shown.exit_code, "behind             nothing waits" in shown.output) == (0, True)
    assert json.loads(status(place, "", "--output", "json").output)["running"] is None


def test_what_the_daemon_last_said_of_the_store(place: Place) -> None:
    """It stands in the spool, and is shown with what waits."""
    place.log.write_bytes(b"one\n")
    place.once()
    (place.spool / "trouble").write_text("AccessDenied\n")
    shown = status(place, "")
    assert shown.exit_code == 3
    assert "store-failing: The store does not answer as it should: AccessDenied" in shown.output


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"hello", "is another program"),
        (b"{}", "is another program"),
        (b"[" * 100_000, "is another program"),
        (encoding.encode(WELL), "is the daemon of another log"),
    ],
    ids=["text", "json", "deep", "log"],
)
def test_what_answers_may_be_another_program(
    place: Place, impostor: str, monkeypatch: pytest.MonkeyPatch, body: bytes, says: str
) -> None:
    """It is not believed; the spool is read."""
    monkeypatch.setattr(Impostor, "body", body)
    place.log.write_bytes(b"one\n")
    place.once()
    shown = status(place, impostor)
    assert (shown.exit_code, says in shown.output) == (3, True)
    assert "head               2 " in shown.output


def test_a_terminal_obeys_no_answer(
    place: Place, impostor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the port sends no escape sequence into a terminal."""
    hostile = structs.replace(
        WELL,
        log="audit-shipper/c1/n1/\x1b[2J",
        version="\x1b[2J",
        store="\x9b2J",
        head_sha256="\x1b",
    )
    monkeypatch.setattr(Impostor, "body", encoding.encode(hostile))
    shown = status(place, impostor)
    assert shown.exit_code == 0
    assert shown.output.replace("\n", "").isprintable()


def test_a_spool_that_cannot_be_read_is_one_clear_error(place: Place) -> None:
    """No traceback, and not exit code 1, which would mean tampering."""
    place.log.write_bytes(b"one\n")
    place.once()
    newest = max((place.root / "spool").glob("*.shipped"))
    newest.unlink()
    newest.mkdir()
    done = status(place, "").exception
    assert isinstance(done, SpoolError)
    assert "cannot be read: Is a directory; ask as root" in str(done)
