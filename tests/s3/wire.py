"""HTTP/1.1 on a socket, as bytes: read a message, keep it as it came, pass it on."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Mapping
from typing import NamedTuple

_HEAD_BYTES = 64 * 1024
_READ_BYTES = 256 * 1024
_NO_BODY = frozenset({204, 304})


class EndError(Exception):
    """The peer has closed the connection."""


class Message(NamedTuple):
    """A request or an answer: its first line, its headers as they came, its body unchunked."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header; empty if it is not there."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.first.split(" ", 2)[1])

    def without(self, *names: str) -> Message:
        """The message without these headers (lower case)."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() not in names)
        return self._replace(headers=kept)

    def with_headers(self, headers: Mapping[str, str]) -> Message:
        """The message with these headers in place of those of the same names."""
        kept = self.without(*(name.lower() for name in headers))
        return kept._replace(headers=(*kept.headers, *headers.items()))

    def sized(self, body: bytes) -> Message:
        """The message with that body, in one piece."""
        length = {"Content-Length": str(len(body))}
        return self.without("transfer-encoding").with_headers(length)._replace(body=body)

    @property
    def head(self) -> bytes:
        """The bytes before the body."""
        lines = [self.first, *(f"{name}: {value}" for name, value in self.headers), "", ""]
        return "\r\n".join(lines).encode("latin-1")


class Wire:
    """A connection, read and written by one thread; `abort` may be called by another."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self._buffer = bytearray()

    def send(self, data: bytes) -> None:
        """All of it."""
        self.socket.sendall(data)

    def request_head(self) -> Message:
        """The next request, without its body."""
        return self._head()

    def request_body(self, head: Message) -> Message:
        """That request with its body; the peer is told to go on if it waits for that."""
        if head.header("expect").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = head.without("expect")
        if head.header("transfer-encoding").lower() == "chunked":
            return head.sized(self._chunks())
        return head._replace(body=self._exactly(int(head.header("content-length") or 0)))

    def answer(self, method: str) -> Message:
        """The answer to a request; those of status 1xx are skipped."""
        head = self._head()
        while head.status < 200:
            head = self._head()
        if method == "HEAD" or head.status in _NO_BODY:
            return head
        if head.header("transfer-encoding").lower() == "chunked":
            return head.sized(self._chunks())
        if head.header("content-length"):
            return head._replace(body=self._exactly(int(head.header("content-length"))))
        return head.sized(self._rest())

    def wait_for_end(self) -> None:
        """Until the peer closes or `abort` is called; what still comes is thrown away."""
        with contextlib.suppress(EndError, OSError, ValueError):
            while True:
                self._buffer.clear()
                self._more()

    def idle(self) -> bool:
        """Whether the connection is open and nothing has come unasked."""
        if self._buffer:
            return False
        self.socket.setblocking(False)
        try:
            self._more()
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except (EndError, OSError, ValueError):
            return False
        finally:
            self.socket.settimeout(None)
        return False

    def finish(self) -> None:
        """Say the end of our side, without TLS's farewell; the other side stays open."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def reset(self) -> None:
        """Close with a reset (RST)."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Close."""
        self.socket.close()

    def abort(self) -> None:
        """Wake the thread that reads or writes: to it the connection has ended."""
        with contextlib.suppress(OSError, ValueError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)

    def _head(self) -> Message:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _HEAD_BYTES:
                raise EndError("the head does not end")
            self._more()
        first, *lines = bytes(self._take(end + 4)[:-4]).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return Message(first, tuple((name, value.strip()) for name, _, value in pairs))

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self._line().partition(b";")[0], 16):
            body += self._exactly(size)
            self._line()
        while self._line():  # trailers
            pass
        return bytes(body)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        return bytes(self._take(end + 2)[:-2])

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        return bytes(self._take(count))

    def _rest(self) -> bytes:
        with contextlib.suppress(EndError):
            while True:
                self._more()
        return bytes(self._take(len(self._buffer)))

    def _take(self, count: int) -> bytearray:
        taken = self._buffer[:count]
        del self._buffer[:count]
        return taken

    def _more(self) -> None:
        got = self.socket.recv(_READ_BYTES)
        if not got:
            raise EndError("the connection has ended")
        self._buffer += got
