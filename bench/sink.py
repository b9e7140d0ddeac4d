"""An S3 service that throws bodies away: what an upload costs the client, and nothing else.

    python -m bench.sink SERVER_PEM PORT DELAY_SECONDS

Runs as a process of its own, over https on loopback, and prints its port once it listens. It
answers what the daemon asks of a locked bucket, each time after the delay, checks no signature and
no checksum, and remembers nothing; figures are the client's.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from email.utils import formatdate
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_VERSIONING = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
_LOCK = (
    b"<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
    b"</ObjectLockConfiguration>"
)
_RETENTION = (
    b"<Retention><Mode>COMPLIANCE</Mode>"
    b"<RetainUntilDate>2999-01-01T00:00:00Z</RetainUntilDate></Retention>"
)
_EMPTY = b"<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>"


def _error(code: bytes) -> bytes:
    return b"<Error><Code>" + code + b"</Code><Message/></Error>"


def answer(method: bytes, target: bytes, head: bytes) -> tuple[bytes, bytes]:
    """(status line, body) for a request; `head` is its header."""
    query = target.partition(b"?")[2]
    if method == b"PUT" and not query:
        if b"\r\ncontent-md5:" in head.lower():  # the preflight's trial
            return b"400 Bad Request", _error(b"BadDigest")
        return b"200 OK", b""
    if method == b"GET":
        for name, body in (
            (b"versioning", _VERSIONING),
            (b"object-lock", _LOCK),
            (b"retention", _RETENTION),
            (b"versions", _EMPTY),
        ):
            if name in query.split(b"&"):
                return b"200 OK", body
        return b"404 Not Found", _error(b"NoSuchKey")
    return b"403 Forbidden", _error(b"AccessDenied")


class _Connection(asyncio.Protocol):
    """Takes one request after the other; never holds more of a body than one read."""

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._head = b""
        self._left = 0
        self._request: tuple[bytes, bytes, bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        while data:
            if self._request is not None:
                taken = min(self._left, len(data))
                self._left -= taken
                data = data[taken:]
            else:
                self._head += data
                end = self._head.find(b"\r\n\r\n")
                if end < 0:
                    return
                head, data, self._head = self._head[:end], self._head[end + 4 :], b""
                method, target, _ = head.split(b"\r\n", 1)[0].split(b" ")
                length = _LENGTH.search(head)
                self._left = int(length[1]) if length else 0
                self._request = method, target, head
                if b"100-continue" in head:
                    self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if self._left == 0:
                loop = asyncio.get_running_loop()
                loop.call_later(self._delay_seconds, self._answer, *self._request)
                self._request = None

    def _answer(self, method: bytes, target: bytes, head: bytes) -> None:
        status, body = answer(method, target, head)
        self._transport.write(
            b'HTTP/1.1 %b\r\ndate: %b\r\netag: "0"\r\nx-amz-version-id: v\r\n'
            b"content-length: %d\r\n\r\n%b"
            % (status, formatdate(usegmt=True).encode(), len(body), body)
        )


async def _serve(pem: str, port: int, delay_seconds: float) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(delay_seconds), "127.0.0.1", port, ssl=context
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
