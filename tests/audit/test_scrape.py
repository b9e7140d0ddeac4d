"""The API server is asked over TLS, with a token, and every refusal says what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from msgspec import structs

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
        with pytest.raises(SourceError, match="HTTP 401; it does not know the token"):
            scrape(options)
        token.write_text("another")
        assert scrape(options).events == 1000


def test_over_tls_with_a_client_certificate(tmp_path: Path) -> None:
    """As the node's own components do; key and certificate in one file or in two."""
    made, mine = authority(tmp_path / "theirs"), authority(tmp_path / "mine")
    key, _, certificate = mine.server_pem.read_text().partition("-----BEGIN CERTIFICATE")
    (tmp_path / "key").write_text(key)
    (tmp_path / "certificate").write_text(f"-----BEGIN CERTIFICATE{certificate}")
    server = ApiServer()
    with serving(server, tls=made.server_pem, clients=mine.ca_bundle):
        options = Options(url=server.url, ca_file=str(made.ca_bundle))
        one = structs.replace(options, cert_file=str(mine.server_pem))
        two = structs.replace(
            options, cert_file=str(tmp_path / "certificate"), key_file=str(tmp_path / "key")
        )
        assert scrape(one).events == scrape(two).events == 1000
        with pytest.raises(SourceError, match=server.url):
            scrape(options)
        for wrong in ("none", "key"):
            with pytest.raises(SourceError, match=r"cert_file .* cannot be used.*PEM"):
                scrape(structs.replace(options, cert_file=str(tmp_path / wrong)))


@pytest.mark.parametrize("text", ["", "two words", "sec\nret", "sécret", "sec\x00ret"])
def test_a_token_is_never_told(tmp_path: Path, text: str) -> None:
    """Neither what is in the file nor a part of it stands in the error, whatever it is."""
    (tmp_path / "token").write_text(text)
    with pytest.raises(SourceError, match="does not hold one token alone") as caught:
        scrape(Options(url="https://127.0.0.1:9", token_file=str(tmp_path / "token")))
    assert "cret" not in f"{caught.value}{caught.value.__cause__}"


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
    """It is read no further than a large cluster's metrics go."""
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    server = ApiServer()
    server.body = b"x" * 5000
    with serving(server), pytest.raises(SourceError, match="larger than 1000 bytes"):
        scrape(Options(url=server.url))


def test_an_answer_in_drops_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, and the whole does not."""
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.05)
    server = ApiServer()
    server.chunk_bytes, server.chunk_seconds = 10, 0.02
    with serving(server), pytest.raises(SourceError, match="takes longer"):
        scrape(Options(url=server.url))


@pytest.mark.parametrize(
    "raw",
    [
        b"\x1b[31mHTTP/9 " + b"x" * 9000 + b"\r\n\r\n",
        b"HTTP/1.1 200 \r\nA: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello",
        b"hello",
    ],
)
def test_no_http_at_all(raw: bytes) -> None:
    """One short line that no terminal obeys, whatever was said."""
    server = ApiServer()
    server.raw = raw
    with serving(server), pytest.raises(SourceError) as caught:
        scrape(Options(url=server.url))
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


def test_nobody_there_and_no_token(tmp_path: Path) -> None:
    """Each is one error with the place."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
    with pytest.raises(SourceError, match=f"{url}: .*refused"):
        scrape(Options(url=url))
    with pytest.raises(SourceError, match="token_file /none cannot be read"):
        scrape(Options(url=url, token_file="/none"))
