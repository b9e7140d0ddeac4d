"""Asks the node's kube-apiserver for its counters: one GET, bounded in time and size. Blocking.

The token is read at each call, since it is rotated. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from shipper.audit.counters import Counters, read_counters
from shipper.config import ApiServer
from shipper.errors import SourceError

ANSWER_SECONDS = 10.0

MOST_BYTES = 256 * 2**20
"""A large cluster's metrics are tens of megabytes; they are read line by line, never held."""

_LINE_BYTES = 64 * 2**10


def scrape(options: ApiServer) -> Counters:
    """The counters now; `SourceError` says why there are none."""
    parts = urlsplit(options.url)
    connection = _connection(options, parts.hostname or "", parts.port)
    try:
        connection.request("GET", parts.path or "/metrics", headers=_headers(options))
        answer = connection.getresponse()
        if answer.status != 200:
            raise SourceError(
                f"{options.url}: HTTP {answer.status}",
                remedy="the token needs `get` on the non-resource URL /metrics",
            )
        return read_counters(_lines(answer))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SourceError(f"{options.url}: {error}") from error
    finally:
        connection.close()


def _connection(options: ApiServer, host: str, port: int | None) -> http.client.HTTPConnection:
    if not options.url.startswith("https:"):
        return http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
    except OSError as error:
        raise SourceError(f"ca_file {options.ca_file} cannot be used: {error}") from error
    return _Named(host, port, timeout=ANSWER_SECONDS, context=context, name=options.server_name)


class _Named(http.client.HTTPSConnection):
    """Expects the certificate of another name than the one that it connects to, where one is given:
    few API servers have 127.0.0.1 in theirs."""

    def __init__(
        self, host: str, port: int | None, *, timeout: float, context: ssl.SSLContext, name: str
    ) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._context = context
        self._name = name or host

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)


def _headers(options: ApiServer) -> dict[str, str]:
    headers = {"Accept": "text/plain;version=0.0.4", "User-Agent": "audit-shipper"}
    if options.token_file:
        try:
            token = Path(options.token_file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"token_file {options.token_file} cannot be read") from error
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _lines(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    left = MOST_BYTES
    while line := answer.readline(_LINE_BYTES):
        left -= len(line)
        if left < 0:
            raise SourceError(f"the answer is larger than {MOST_BYTES} bytes")
        yield line
