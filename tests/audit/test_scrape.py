"""The API server is asked over TLS, with a token, and every refusal says what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from shipper.audit import scrape as module
from shipper.audit.scrape import scrape
from shipper.config import ApiServer as Options
from shipper.errors import SourceError
from tests.audit.apiserver import ApiServer, serving
from tests.s3.tls import authority


def test_over_tls_with_a_token(tmp_path: Path) -> None:
    """By the cluster's authority, under the certificate's name, with the token as it is now."""
    made = authority(tmp_path)
    token = tmp_path / "token"
    token.write_text("first\n")
    server = ApiServer()
    with serving(server, tls=made.server_pem):
        options = Options(
            url=server.url,
            token_file=str(token),
            ca_file=str(made.ca_bundle),
            server_name="localhost",
        )
        server.token = token.read_text().strip()
        assert scrape(options).events == 1000
        server.token = "another"  # noqa: S105 of a server in this test
        with pytest.raises(SourceError, match="HTTP 401; the token needs"):
            scrape(options)
        token.write_text("another")
        assert scrape(options).events == 1000


def test_another_name_is_refused(tmp_path: Path) -> None:
    """A certificate for somebody else, or by somebody else, is none."""
    made = authority(tmp_path)
    with serving(ApiServer(), tls=made.server_pem) as server:
        for options in (
            Options(url=server.url, ca_file=str(made.ca_bundle), server_name="kubernetes"),
            Options(url=server.url),
            Options(url=server.url, ca_file=str(tmp_path / "none")),
        ):
            with pytest.raises(SourceError, match=r"certificate|ca_file"):
                scrape(options)


@pytest.mark.parametrize("status", [301, 404, 500])
def test_other_answers_are_refused(status: int) -> None:
    """Redirects are not followed: a token is for one server."""
    server = ApiServer()
    server.status = status
    with serving(server), pytest.raises(SourceError, match=f"HTTP {status}"):
        scrape(Options(url=server.url))
    assert len(server.asked) == 1


def test_an_endless_answer_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read line by line, and no further than a large cluster's metrics go."""
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    server = ApiServer()
    server.body = b"x" * 5000
    with serving(server), pytest.raises(SourceError, match="larger than 1000 bytes"):
        scrape(Options(url=server.url))


def test_nobody_there_and_no_token(tmp_path: Path) -> None:
    """Each is one error with the place."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
    with pytest.raises(SourceError, match=f"{url}: .*refused"):
        scrape(Options(url=url))
    with pytest.raises(SourceError, match="token_file /none cannot be read"):
        scrape(Options(url=url, token_file="/none"))
