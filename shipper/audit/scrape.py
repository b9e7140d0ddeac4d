"""Asks the node's kube-apiserver for its counters: one GET, bounded in time and size. Blocking.

Token and client certificate are read at each call, since they are rotated; an error never tells
them. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from shipper.audit.counters import Counters, read_counters
from shipper.config import ApiServer
from shipper.errors import SourceError
from shipper.text import harmless

SILENCE_SECONDS = 10.0
"""How long the server may say nothing."""

ANSWER_SECONDS = 15.0
"""How long its answer may take."""

MOST_BYTES = 256 * 2**20
"""A large cluster's metrics are tens of megabytes; they are read piece by piece, never held."""

_BLOCK_BYTES = 64 * 2**10
_MOST_TOKEN_BYTES = 16 * 2**10
_TOKEN = re.compile(r"[\x21-\x7e]+")
_SAYS = 200


def scrape(options: ApiServer) -> Counters:
    """The counters now; `SourceError` says why there are none."""
    headers = _headers(options)
    try:
        connection = _connection(options)
        try:
            connection.request("GET", urlsplit(options.url).path or "/metrics", headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise _refused(options, answer.status)
            return read_counters(_blocks(answer))
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Some of these errors quote what the server said.
        said = harmless(str(error) or type(error).__name__, _SAYS)
        raise SourceError(f"{options.url}: {said}") from error


def _refused(options: ApiServer, status: int) -> SourceError:
    remedies = {
        401: "it does not know the token or the client certificate",
        403: "it must be allowed to `get` the non-resource URL /metrics",
    }
    remedy = remedies.get(status, "it must be the address of a kube-apiserver")
    return SourceError(f"{options.url}: HTTP {status}", remedy=remedy)


def _connection(options: ApiServer) -> http.client.HTTPConnection:
    parts = urlsplit(options.url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=SILENCE_SECONDS)
    context = _context(options)
    return _Named(host, port, timeout=SILENCE_SECONDS, context=context, name=options.server_name)


def _context(options: ApiServer) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_file or None)
    except OSError as error:
        raise SourceError(f"ca_file {options.ca_file} cannot be used: {error}") from error
    if options.cert_file:
        try:
            # A key with a passphrase is refused: nobody is there to be asked.
            context.load_cert_chain(
                options.cert_file, options.key_file or None, password=lambda: b""
            )
        except OSError as error:
            says = f"cert_file {options.cert_file} cannot be used: {error}"
            raise SourceError(
                says, remedy="it must be PEM, with its key there or in key_file, readable"
            ) from error
    return context


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
        headers["Authorization"] = f"Bearer {_token(Path(options.token_file))}"
    return headers


def _token(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_TOKEN_BYTES).decode("latin-1").strip()
    except OSError as error:
        raise SourceError(f"token_file {path} cannot be read: {error.strerror}") from error
    if not _TOKEN.fullmatch(text):
        raise SourceError(f"token_file {path} does not hold one token alone")
    return text


def _blocks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    deadline = time.monotonic() + ANSWER_SECONDS
    left = MOST_BYTES
    while block := answer.read1(_BLOCK_BYTES):
        left -= len(block)
        if left < 0:
            raise SourceError(f"the answer is larger than {MOST_BYTES} bytes")
        if time.monotonic() > deadline:
            raise SourceError(f"the answer takes longer than {ANSWER_SECONDS:.0f} s")
        yield block
