"""An API server that has nothing but counters, and a log to write."""

from __future__ import annotations

import http.server
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EVENT = (
    b'{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"a","stage":"ResponseComplete",'
    b'"stageTimestamp":"2026-01-01T00:00:00.000000Z"}\n'
)

EXPOSITION = """\
# HELP apiserver_audit_error_total [ALPHA] Counter of audit events that failed to be audited.
# TYPE apiserver_audit_error_total counter
apiserver_audit_error_total{{plugin="log"}} {failed}
apiserver_audit_error_total{{plugin="webhook"}} 77
# HELP apiserver_audit_event_total [ALPHA] Counter of audit events generated.
# TYPE apiserver_audit_event_total counter
apiserver_audit_event_total {events}
apiserver_audit_level_total{{level="Metadata"}} 12
apiserver_request_total{{code="200",verb="GET"}} 1.2345e+06
# TYPE process_start_time_seconds gauge
process_start_time_seconds {started}
"""


class ApiServer:
    """`events` and `failed` are its counters; `write` adds to its log as a real one does."""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log
        self.url = ""
        self.token = ""
        self.status = 200
        self.body: bytes | None = None
        self.raw = b""
        """If not empty, all that it answers."""
        self.chunk_bytes = 4096
        self.chunk_seconds = 0.0
        self.events = 1000
        self.failed = 3
        self.started = 1.7e9
        self.asked: list[dict[str, str]] = []

    def write(self, count: int, *, to: Path | None = None) -> None:
        self.events += count
        path = to or self.log
        assert path is not None
        with path.open("ab") as file:
            file.write(EVENT * count)

    def exposition(self) -> bytes:
        if self.body is not None:
            return self.body
        text = EXPOSITION.format(events=self.events, failed=self.failed, started=self.started)
        return text.encode()

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.asked.append(dict(handler.headers))
        allowed = handler.headers.get("Authorization", "") == (
            self.token and f"Bearer {self.token}"
        )
        if self.raw:
            handler.wfile.write(self.raw)
            handler.close_connection = True
            return
        body = self.exposition()
        handler.send_response(self.status if allowed else 401)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Location", "http://127.0.0.1:9/")
        handler.end_headers()
        for start in range(0, len(body), self.chunk_bytes):
            chunk = body[start : start + self.chunk_bytes]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            time.sleep(self.chunk_seconds)
        handler.wfile.write(b"0\r\n\r\n")


@contextmanager
def serving(
    server: ApiServer, *, tls: Path | None = None, clients: Path | None = None
) -> Iterator[ApiServer]:
    """It answers at `server.url`; with `tls` (key and certificate in PEM) over https, and with
    `clients`, an authority, only to those who show a certificate by it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: Any) -> None:
            """Silence."""

    class Listening(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Who has heard enough hangs up."""

    with Listening(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            if clients is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(clients)
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
