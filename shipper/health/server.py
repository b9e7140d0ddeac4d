"""The health port: an HTTP server that answers GET and HEAD, and is bounded in all it holds.

Knows no page. A port that is taken, or a fault in here, never stops the recording: it is logged,
and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from shipper.backoff import Backoff
from shipper.health.pages import TEXT, Answer, Asked
from shipper.logs import Logger

MOST_CONNECTIONS = 32
"""Beyond that the oldest is closed: who holds connections takes no descriptor from the recording,
and keeps no probe out."""

KEEP_ALIVE_SECONDS = 75.0
"""Longer than scrapes are apart."""

_HEADERS = {
    "Server": "audit-shipper",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_silent = logging.getLogger("shipper.health.server")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # what a client does wrong is not for our log

Ask = Callable[[Asked], Awaitable[Answer]]


class Server:
    """For one event loop."""

    def __init__(self, ask: Ask, *, logger: Logger) -> None:
        self._ask = ask
        self._logger = logger
        self._server = web.Server(
            self._handle,
            access_log=None,
            logger=_silent,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            lingering_time=0.0,
        )

    async def run(self, host: str, port: int) -> None:
        """Serve until cancelled."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(first=1.0, limit=60.0)
        while True:
            try:
                listening = await loop.create_server(self._connection, host, port, backlog=16)
            except (OSError, UnicodeError) as error:
                delay = backoff.delay()
                self._logger.error(  # noqa: TRY400 the system's answer is the message
                    "health_not_listening",
                    listen=f"{host}:{port}",
                    error=str(error),
                    retry_seconds=round(delay, 1),
                )
                await asyncio.sleep(delay)
            else:
                break
        self._logger.info("health_listening", port=listening.sockets[0].getsockname()[1])
        try:
            await asyncio.Event().wait()
        finally:
            listening.close()
            await self._server.shutdown(0.1)

    def _connection(self) -> asyncio.Protocol:
        connections = self._server.connections
        if len(connections) >= MOST_CONNECTIONS:
            connections[0].force_close()
        return self._server()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        if request.method not in ("GET", "HEAD"):
            answer = Answer(405, TEXT, b"GET or HEAD\n")
        else:
            answer = await self._answer(request)
        headers = {
            **_HEADERS,
            "Content-Type": answer.content_type,
            "Content-Security-Policy": answer.policy,
        }
        if answer.status == 405:
            headers["Allow"] = "GET, HEAD"
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    async def _answer(self, request: web.BaseRequest) -> Answer:
        asked = Asked(
            request.path, request.headers.get("Host", ""), request.headers.get("Accept", "")
        )
        try:
            return await self._ask(asked)
        except Exception as error:  # noqa: BLE001 a fault in a page stops no recording
            self._logger.error("health_failed", path=asked.path[:100], error=repr(error)[:500])  # noqa: TRY400 one line
            return Answer(500, TEXT, b"this is a fault in audit-shipper; its log says more\n")


def parted(listen: str) -> tuple[str, int]:
    """`address:port` in two; `[::1]:9465` is an address too."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)
