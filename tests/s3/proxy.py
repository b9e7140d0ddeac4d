"""A reverse proxy in front of an S3 service, in which each call meets what the test has planned.

The Host header is passed on as it came, so that signatures hold: clients sign the proxy's address,
and the service checks against what it is sent. Bodies are held in memory.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from weakref import WeakSet

from tests.s3.exchange import Exchange
from tests.s3.faults import Fault, Plan, Request, passes
from tests.s3.tls import Authority
from tests.s3.wire import EndError, Message, Wire

_UPSTREAM_SECONDS = 30.0


class Call(NamedTuple):
    """What became of a call: the status that the client was told and that of the service.

    0: there was no answer."""

    method: str
    path: str
    fault: Fault
    status: int
    upstream: int


class FaultProxy:
    """A proxy on a port of 127.0.0.1, to `upstream`; with `tls`, both speak it.

    `plan` may be replaced at any time. `port` is a free one unless given.
    """

    def __init__(
        self,
        upstream: tuple[str, int],
        *,
        tls: Authority | None = None,
        plan: Plan = passes,
        port: int = 0,
    ) -> None:
        self.plan = plan
        self.log: list[Call] = []
        self._upstream = upstream
        self._server_tls = self._client_tls = None
        if tls is not None:
            self._server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server_tls.load_cert_chain(tls.server_pem)
            self._client_tls = ssl.create_default_context(cafile=str(tls.ca_bundle))
        self._lock = threading.Lock()
        self._number = 0
        self._stopped = threading.Event()
        self._wires: WeakSet[Wire] = WeakSet()
        self._threads: set[threading.Thread] = set()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._spawn(self._accept)

    @property
    def endpoint(self) -> str:
        """The proxy's URL."""
        return f"{'https' if self._server_tls else 'http'}://127.0.0.1:{self.address[1]}"

    def count(self, method: str = "", *, fault: type[Fault] = Fault, path: str = "") -> int:
        """How many calls there were with that method, fault and part of a path."""
        with self._lock:
            return sum(
                method in ("", call.method) and isinstance(call.fault, fault) and path in call.path
                for call in self.log
            )

    def counts(self) -> Counter[str]:
        """How many calls met each fault, by its name."""
        with self._lock:
            return Counter(type(call.fault).__name__ for call in self.log)

    def forget(self) -> None:
        """Empty the log."""
        with self._lock:
            self.log.clear()

    def stop(self) -> None:
        """Close the port and all connections, and end all threads. May be called again."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()
        with self._lock:
            for wire in self._wires:
                wire.abort()
            threads = list(self._threads)
        for thread in threads:
            thread.join(5)

    def __enter__(self) -> FaultProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ---- connections

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._spawn(partial(self._serve, self._listener.accept()[0]))

    def _spawn(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._threads.discard(thread)

        thread = threading.Thread(target=run, name="fault-proxy", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _serve(self, accepted: socket.socket) -> None:
        if self._server_tls is not None:
            accepted = self._server_tls.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False
            )
        client = self._known(Wire(accepted))
        exchange = Exchange(client, self._connect, self._stopped)
        try:
            if isinstance(accepted, ssl.SSLSocket):
                accepted.do_handshake()
            while exchange.open and not self._stopped.is_set():
                head = client.request_head()
                method, path, _ = head.first.split(" ")
                fault = self.plan(self._request(method, path, head))
                exchange.run(head, fault, partial(self._record, method, path, fault))
        except (EndError, OSError, ValueError):
            pass  # the client has gone, or the proxy ends
        finally:
            exchange.close()

    def _request(self, method: str, path: str, head: Message) -> Request:
        headers = {name.lower(): value for name, value in head.headers}
        with self._lock:
            self._number += 1
            return Request(method, path, self._number - 1, headers)

    def _record(self, method: str, path: str, fault: Fault, status: int, upstream: int) -> None:
        with self._lock:
            self.log.append(Call(method, path, fault, status, upstream))

    def _connect(self) -> Wire:
        upstream = socket.create_connection(self._upstream, timeout=_UPSTREAM_SECONDS)
        if self._client_tls is not None:
            upstream = self._client_tls.wrap_socket(upstream, server_hostname=self._upstream[0])
        upstream.settimeout(None)
        return self._known(Wire(upstream))

    def _known(self, wire: Wire) -> Wire:
        """Remembered, so that `stop` ends it."""
        with self._lock:
            self._wires.add(wire)
            if self._stopped.is_set():
                wire.abort()
        return wire
