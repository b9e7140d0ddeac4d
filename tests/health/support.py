"""A client that can send anything, and a server of the health port on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from shipper.health.server import Ask, Server
from shipper.logs import make_logger


class Reply(NamedTuple):
    """What came back; header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class Serving(NamedTuple):
    """Where it listens, and the lines that it has logged."""

    port: int
    lines: list[dict[str, object]]

    @property
    def events(self) -> list[object]:
        return [line["event"] for line in self.lines]


@contextlib.asynccontextmanager
async def serving(ask: Ask, port: int = 0) -> AsyncIterator[Serving]:
    lines: list[dict[str, object]] = []
    logger = make_logger(
        level="info", form="json", write=lambda line: lines.append(json.loads(line))
    )
    running = asyncio.create_task(Server(ask, logger=logger).run("127.0.0.1", port))
    try:
        await until(lambda: bool(lines))
        yield Serving(int(str(lines[0].get("port", port))), lines)
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()


async def until(done: Callable[[], bool]) -> None:
    """Wait for it, but not for ever."""
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 what a logger has written rings no bell
            await asyncio.sleep(0.01)


async def send(port: int, request: bytes) -> bytes:
    """All that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


async def get(port: int, path: str, *headers: str, method: str = "GET") -> Reply:
    """One request on a connection of its own."""
    host = [] if any(line.startswith("Host:") for line in headers) else ["Host: 127.0.0.1"]
    lines = [f"{method} {path} HTTP/1.1", *host, "Connection: close", *headers, "", ""]
    head, _, body = (await send(port, "\r\n".join(lines).encode())).partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    pairs = (line.split(": ", 1) for line in rest)
    return Reply(int(first.split()[1]), {name.lower(): value for name, value in pairs}, body)
