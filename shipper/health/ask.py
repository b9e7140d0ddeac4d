"""Asks the running daemon on its health port how it is. One question, bounded, no retries."""

from __future__ import annotations

import http.client
import time

import msgspec

from shipper.config import Config
from shipper.health.status import Status
from shipper.seal import layout

ASK_SECONDS = 3.0
"""For each silence, and for the whole answer."""

_MOST_BYTES = 4 * 2**20
_BLOCK_BYTES = 64 * 2**10
_EVERY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 nothing is bound here


class NoAnswerError(Exception):
    """The daemon does not answer; the text says why."""


def ask(config: Config) -> Status:
    """The status of the daemon of this configuration; `NoAnswerError`."""
    host, _, port = config.health.listen.rpartition(":")
    host = host.strip("[]")
    connection = http.client.HTTPConnection(_EVERY.get(host, host), int(port), timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/status.json")
        answer = connection.getresponse()
        body = _read(answer, time.monotonic() + ASK_SECONDS)
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"{config.health.listen}: {error}") from error
    finally:
        connection.close()
    return _decode(body, answer.status, config)


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    body = bytearray()
    while len(body) < _MOST_BYTES and (block := answer.read1(_BLOCK_BYTES)):
        body += block
        if time.monotonic() > deadline:
            raise TimeoutError("the answer does not come to its end")
    return bytes(body)


def _decode(body: bytes, code: int, config: Config) -> Status:
    listen = config.health.listen
    try:
        status = msgspec.json.decode(body, type=Status)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NoAnswerError(f"what answers at {listen} is another program (HTTP {code})") from error
    log = config.log
    ours = layout.origin(log.origin_prefix, log.cluster, log.node, "")
    if status.log and not status.log.startswith(ours):
        raise NoAnswerError(f"what answers at {listen} is the daemon of another log")
    return status
