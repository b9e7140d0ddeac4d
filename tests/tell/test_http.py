"""One POST: every ending is an outcome, none is an exception, and no secret is in it."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from pathlib import Path

import pytest
from aiohttp import web

from shipper.tell.answer import Outcome
from shipper.tell.http import Http
from shipper.tell.request import Request
from tests.s3.tls import authority
from tests.tell.support import Answer, serving

SECRET = "/services/T0/B0/s3cret"  # noqa: S105 the tests' own


async def post(
    url: str, *, timeout_seconds: float = 5, ca_bundle: str = "", body: bytes = b"{}"
) -> Outcome:
    http = Http()
    try:
        request = Request(url, {"Content-Type": "application/json"}, body)
        return await http.post(request, timeout_seconds=timeout_seconds, ca_bundle=ca_bundle)
    finally:
        await http.close()


def answered(answer: Answer) -> Outcome:
    async def life() -> Outcome:
        async with serving(answer) as server:
            return await post(server.url + SECRET)

    return asyncio.run(life())


def test_what_is_sent_arrives_as_it_is() -> None:
    """Body, headers and the address with its query; nothing is added that could matter."""

    async def life() -> None:
        async with serving() as server:
            outcome = await post(f"{server.url}/a%2Fb?c=d", body=b"exactly this")
            assert outcome == Outcome("taken")
            (got,) = server.got
            assert (got.path, got.body) == ("/a%2Fb?c=d", b"exactly this")
            assert "Cookie" not in got.headers
            assert "Accept-Encoding" not in got.headers

    asyncio.run(life())


@pytest.mark.parametrize(
    ("answer", "verdict", "says"),
    [
        (204, "taken", ""),
        (web.Response(status=403, text="invalid_token"), "refused", "HTTP 403 invalid_token"),
        (web.Response(status=400, text="bad\nbody"), "never", "HTTP 400 bad\nbody"),
        (web.Response(status=503), "later", "HTTP 503"),
        (None, "later", "no answer: ServerDisconnectedError"),
    ],
)
def test_answers(answer: Answer, verdict: str, says: str) -> None:
    """Status, and the start of what the server says."""
    outcome = answered(answer)
    assert (outcome.verdict, outcome.says) == (verdict, says)


def test_retry_after() -> None:
    """A server that asks for time gets it."""
    limited = web.Response(status=429, headers={"Retry-After": "17"})
    assert answered(limited).wait_seconds == 17


def test_a_redirect_is_not_followed() -> None:
    """The alert, its token and its signature go where they were sent, and nowhere else."""

    async def life() -> None:
        async with serving() as elsewhere:
            moved = web.Response(status=307, headers={"Location": elsewhere.url})
            async with serving(moved) as server:
                outcome = await post(server.url)
            assert outcome == Outcome("refused", "HTTP 307: redirects are not followed")
            assert elsewhere.got == []

    asyncio.run(life())


def test_a_long_answer_is_not_read_to_its_end() -> None:
    """Nor is a compressed one blown up."""
    assert len(answered(web.Response(status=500, body=b"x" * 2**22)).says) < 2000
    bomb = web.Response(
        status=500, body=gzip.compress(b"x" * 2**24), headers={"Content-Encoding": "gzip"}
    )
    assert len(answered(bomb).says) < 2000


def test_a_server_that_does_not_answer() -> None:
    """The time of a try is bounded."""

    async def life() -> None:
        async with serving() as server:
            server.delay_seconds = 30
            began = time.monotonic()
            outcome = await post(server.url, timeout_seconds=0.1)
            assert outcome == Outcome("later", "no answer within 0.1 s")
            assert time.monotonic() - began < 5

    asyncio.run(life())


def test_a_server_that_trickles() -> None:
    """A byte now and then does not make a try last for ever."""

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 500 x\r\nContent-Length: 1000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.05)

    async def life() -> None:
        server = await asyncio.start_server(trickle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        outcome = await post(f"http://127.0.0.1:{port}/", timeout_seconds=0.3)
        assert outcome.verdict == "later"
        server.close()

    asyncio.run(life())


@pytest.mark.parametrize(
    ("url", "verdict", "says"),
    [
        ("http://127.0.0.1:{closed}" + SECRET, "later", "cannot be reached: Connection refused"),
        ("http://no-such-host.invalid" + SECRET, "later", "cannot be reached: "),
        ("http://" + SECRET, "refused", "the URL is malformed"),
        ("nonsense" + SECRET, "refused", "the URL is malformed"),
        ("ftp://127.0.0.1" + SECRET, "refused", "the URL is malformed"),
    ],
)
def test_what_cannot_be_reached(url: str, verdict: str, says: str) -> None:
    """The reason is told; the address, which may be a secret, is not."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = url.format(closed=closed.getsockname()[1])
    outcome = asyncio.run(post(url))
    assert outcome.verdict == verdict
    assert outcome.says.startswith(says)
    assert "s3cret" not in outcome.says


def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    """A certificate counts only if `ca_bundle` says so, and a new bundle counts at once."""
    ours, theirs = authority(tmp_path / "a"), authority(tmp_path / "b")
    bundle = tmp_path / "bundle.pem"

    async def life() -> None:
        http = Http()
        async with serving(tls=ours.server_pem) as server:

            async def outcome(ca_bundle: str) -> Outcome:
                request = Request(server.url, {}, b"{}")
                return await http.post(request, timeout_seconds=5, ca_bundle=ca_bundle)

            untrusted = await outcome("")
            assert untrusted.verdict == "refused"
            assert untrusted.says.startswith("its certificate is not trusted: ")
            bundle.write_bytes(theirs.ca_bundle.read_bytes())
            assert (await outcome(str(bundle))).verdict == "refused"
            bundle.unlink()
            bundle.write_bytes(ours.ca_bundle.read_bytes())
            assert await outcome(str(bundle)) == Outcome("taken")
            assert len(server.got) == 1
        await http.close()

    asyncio.run(life())


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_bundle_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    """It is named, with what to do; it is not passed over."""
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    outcome = asyncio.run(post("https://127.0.0.1:1/", ca_bundle=str(bundle)))
    assert outcome.verdict == "refused"
    assert "bundle.pem cannot be used" in outcome.says


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes that reach the world through a proxy alert through it."""

    async def life() -> None:
        async with serving() as proxy:
            monkeypatch.setenv("no_proxy", "")
            monkeypatch.setenv("http_proxy", proxy.url)
            outcome = await post("http://hooks.example.com/x")
            assert outcome == Outcome("taken")
            assert proxy.got[0].headers["Host"] == "hooks.example.com"

    asyncio.run(life())
