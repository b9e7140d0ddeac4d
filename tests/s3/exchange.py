"""One client's connection through the proxy: each call meets its fault. See `faults`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.client import responses

from tests.s3.faults import (
    Answer,
    AnswerAfter,
    BlackHole,
    CutOff,
    Delay,
    Fault,
    HalfClose,
    LoseAnswer,
    ResetBefore,
    ResetInside,
    Rewrite,
    Trickle,
    Truncate,
    WrongBody,
)
from tests.s3.wire import EndError, Message, Wire

_DROP_SECONDS = 0.05
"""How long the service has the half of a call before its connection ends."""

_DROPS_PER_SECOND = 20

Record = Callable[[int, int], None]
"""Told the client's status and the service's, before the client learns of it."""


class Exchange:
    """The calls on `client`, one after the other, and the connection to the service for them."""

    def __init__(self, client: Wire, connect: Callable[[], Wire], stopped: threading.Event) -> None:
        self.open = True
        self._client = client
        self._connect = connect
        self._stopped = stopped
        self._upstream: Wire | None = None

    def run(self, head: Message, fault: Fault, record: Record) -> None:
        """Do one call."""
        self.open = head.header("connection").lower() != "close"
        method = head.first.split(" ")[0]
        if isinstance(fault, ResetBefore):
            record(0, 0)
            self._break()
        elif isinstance(fault, Answer) and fault.early:
            record(fault.status, 0)
            self._client.send(_bytes(_told(fault).with_headers({"Connection": "close"}), method))
            self._linger()
        else:
            self._with_body(self._client.request_body(head), method, fault, record)

    def close(self) -> None:
        """Close both connections."""
        self._client.close()
        self._drop()

    def _with_body(self, request: Message, method: str, fault: Fault, record: Record) -> None:
        match fault:
            case Answer():
                record(fault.status, 0)
                self._client.send(_bytes(_told(fault), method))
            case BlackHole():
                record(0, 0)
                self._client.wait_for_end()
                self.open = False
            case HalfClose():
                record(0, 0)
                self._linger()
            case ResetInside():
                upstream = self._service()
                upstream.send(_half(request.head, request.body))
                self._stopped.wait(_DROP_SECONDS)
                self._drop()
                record(0, 0)
                self._break()
            case _:
                if isinstance(fault, Delay):
                    self._stopped.wait(fault.seconds)
                self._answer(self._ask(request, method, record), method, fault, record)

    def _ask(self, request: Message, method: str, record: Record) -> Message:
        """The service's answer. Without one the client's connection breaks."""
        try:
            upstream = self._service()
            upstream.send(request.head + request.body)
            answer = upstream.answer(method)
        except (EndError, OSError):
            record(0, 0)
            self._drop()
            self._client.reset()
            raise
        if answer.header("connection").lower() == "close":
            self._drop()
        return answer

    def _answer(self, answer: Message, method: str, fault: Fault, record: Record) -> None:
        status = answer.status
        match fault:
            case LoseAnswer():
                record(0, status)
                self._break()
            case AnswerAfter():
                record(fault.status, status)
                self._client.send(_bytes(_told(fault), method))
            case Truncate():
                record(status, status)
                self._client.send(_half(answer.head, answer.body))
                self.open = False
            case CutOff():
                record(status, status)
                whole = answer.head + answer.body
                self._client.send(whole[: fault.after_bytes])
                self.open = fault.after_bytes >= len(whole)
            case Trickle():
                record(status, status)
                self._trickle(answer.head + answer.body, fault.bytes_per_second)
            case WrongBody():
                record(status, status)
                self._client.send(answer.head + bytes(byte ^ 0xFF for byte in answer.body))
            case Rewrite():
                record(status, status)
                self._client.send(answer.with_headers(fault.headers).head + answer.body)
            case _:
                record(status, status)
                self._client.send(answer.head + answer.body)

    def _trickle(self, data: bytes, bytes_per_second: float) -> None:
        step = max(1, round(bytes_per_second / _DROPS_PER_SECOND))
        for start in range(0, len(data), step):
            if self._stopped.wait(step / bytes_per_second):
                return
            self._client.send(data[start : start + step])

    def _linger(self) -> None:
        """Say our end, and wait for the client's."""
        self._client.finish()
        self._client.wait_for_end()
        self.open = False

    def _break(self) -> None:
        self._client.reset()
        self.open = False

    def _service(self) -> Wire:
        if self._upstream is not None and not self._upstream.idle():
            self._drop()
        if self._upstream is None:
            self._upstream = self._connect()
        return self._upstream

    def _drop(self) -> None:
        if self._upstream is not None:
            self._upstream.close()
            self._upstream = None


def _told(answer: Answer | AnswerAfter) -> Message:
    phrase = responses.get(answer.status, "")
    first = f"HTTP/1.1 {answer.status} {phrase}"
    return Message(first, tuple(answer.headers.items())).sized(answer.body)


def _bytes(answer: Message, method: str) -> bytes:
    return answer.head if method == "HEAD" else answer.head + answer.body


def _half(head: bytes, body: bytes) -> bytes:
    """All of the head and half of the body, or half of the head if there is no body."""
    return head + body[: len(body) // 2] if body else head[: len(head) // 2]
