"""The health port answers who asks rightly, is bounded by who does not, and stops no recording."""

from __future__ import annotations

import asyncio
import socket

import pytest

from shipper.health.pages import TEXT, Answer, Asked
from shipper.health.server import MOST_CONNECTIONS
from tests.health.support import get, send, serving, until


async def echo(asked: Asked) -> Answer:
    if asked.path == "/bug":
        raise KeyError("a bug")
    return Answer(200, TEXT, f"{asked.path} {asked.host} {asked.accept}\n".encode())


def test_an_answer_and_its_headers() -> None:
    """Nothing may be kept, framed, sniffed or loaded; what runs is not told."""

    async def life() -> None:
        async with serving(echo) as server:
            got = await get(server.port, "/a?b=c", "Accept: text/plain")
            assert (got.status, got.body) == (200, b"/a 127.0.0.1 text/plain\n")
            assert got.headers["content-security-policy"] == "default-src 'none'"
            assert got.headers["cache-control"] == "no-store"
            assert got.headers["x-content-type-options"] == "nosniff"
            assert got.headers["server"] == "audit-shipper"
            assert server.events == ["health_listening"]

    asyncio.run(life())


def test_head_has_the_headers_alone() -> None:
    """With the length that GET would have."""

    async def life() -> None:
        async with serving(echo) as server:
            got = await get(server.port, "/a", method="HEAD")
            assert (got.status, got.body, got.headers["content-length"]) == (200, b"", "14")

    asyncio.run(life())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_can_be_changed(method: str) -> None:
    """Every other method is refused, whatever the path."""

    async def life() -> None:
        async with serving(echo) as server:
            got = await get(server.port, "/bug", "Content-Length: 0", method=method)
            assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")

    asyncio.run(life())


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 200,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"\r\n\r\n\x00\r\n\r\n",
    ],
    ids=["tls", "version", "long", "many", "length", "nul"],
)
def test_garbage_is_refused_and_not_logged(
    request_bytes: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """A scanner gets 400 and fills no log."""

    async def life() -> None:
        async with serving(echo) as server:
            assert b" 400 " in (await send(server.port, request_bytes)).split(b"\r\n")[0]
            assert (await get(server.port, "/")).status == 200
            assert server.events == ["health_listening"]

    asyncio.run(life())
    assert capfd.readouterr() == ("", "")


def test_connections_that_are_held_keep_nobody_out() -> None:
    """There are never more than a few; the oldest goes for the newest."""

    async def life() -> None:
        async with serving(echo) as server:
            held = [
                await asyncio.open_connection("127.0.0.1", server.port)
                for _ in range(MOST_CONNECTIONS + 3)
            ]
            assert (await get(server.port, "/")).status == 200
            first, _ = held[0]
            assert await asyncio.wait_for(first.read(), 5) == b""
            for _, writer in held:
                writer.close()

    asyncio.run(life())


def test_a_fault_in_a_page_is_one_line() -> None:
    """The client gets 500 without a word of it, the log gets it."""

    async def life() -> None:
        async with serving(echo) as server:
            got = await get(server.port, "/bug")
            assert (got.status, b"KeyError" in got.body) == (500, False)
            assert server.events == ["health_listening", "health_failed"]
            assert server.lines[1]["error"] == "KeyError('a bug')"
            assert (await get(server.port, "/")).status == 200

    asyncio.run(life())


def test_a_port_that_is_taken_is_tried_again() -> None:
    """One line says so; once the port is free it is served."""

    async def life() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            async with serving(echo, port) as server:
                assert server.events == ["health_not_listening"]
                assert "in use" in str(server.lines[0]["error"])
                taken.close()
                await until(lambda: len(server.lines) == 2)
                assert server.events == ["health_not_listening", "health_listening"]
                assert (await get(port, "/")).status == 200

    asyncio.run(life())
