"""Each fault of the proxy is the accident that it says, seen from both ends."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from botocore.exceptions import ClientError

from tests.s3 import faults
from tests.s3.ceph import Ceph
from tests.s3.faults import Fault, Request
from tests.s3.proxy import FaultProxy
from tests.s3.tls import Authority

BODY = b"the answer's body"


class Upstream(ThreadingHTTPServer):
    """Answers every call with `BODY`, and keeps the calls that came whole."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[tuple[str, str, bytes]] = []
        self.broken = threading.Event()
        self.hosts: list[str] = []

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            self.server.broken.set()
            self.close_connection = True
            return
        self.server.calls.append((self.command, self.path, body))
        self.server.hosts.append(self.headers["Host"])
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"4\r\nfour\r\n5\r\n five\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", "0" if self.path == "/empty" else str(len(BODY)))
        self.end_headers()
        if self.path != "/empty" and self.command != "HEAD":
            self.wfile.write(BODY)

    do_PUT = do_HEAD = do_GET  # noqa: N815 http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[FaultProxy]:
    with FaultProxy(upstream.address) as made:
        yield made


def _call(
    proxy: FaultProxy, method: str = "PUT", path: str = "/a", body: bytes = b"12345678"
) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection(*proxy.address, timeout=2)) as connection:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_calls_pass(proxy: FaultProxy, upstream: Upstream) -> None:
    """Method, path, body, Host and answer come through as they were, on one connection."""
    with closing(http.client.HTTPConnection(*proxy.address, timeout=2)) as connection:
        for number in range(3):
            connection.request("PUT", f"/a?b={number}", b"body")
            assert connection.getresponse().read() == BODY
    assert upstream.calls == [("PUT", f"/a?b={number}", b"body") for number in range(3)]
    assert upstream.hosts == [f"127.0.0.1:{proxy.address[1]}"] * 3
    assert [tuple(call) for call in proxy.log[:1]] == [("PUT", "/a?b=0", faults.Pass(), 200, 200)]


def test_bodies_of_all_forms_pass(proxy: FaultProxy, upstream: Upstream) -> None:
    """Chunks in both directions, no body at all, and a large one."""
    assert _call(proxy, "GET", "/chunked", b"") == (200, b"four five")
    assert _call(proxy, "GET", "/empty", b"") == (200, b"")
    assert _call(proxy, "HEAD", "/a", b"") == (200, b"")
    with closing(http.client.HTTPConnection(*proxy.address, timeout=2)) as connection:
        connection.request("PUT", "/c", iter([b"one", b"two"]), encode_chunked=True)
        assert connection.getresponse().status == 200
    assert upstream.calls[-1] == ("PUT", "/c", b"onetwo")
    large = bytes(64 * 2**20)
    assert _call(proxy, "PUT", "/large", large) == (200, BODY)
    assert len(upstream.calls[-1][2]) == len(large)


def test_a_client_that_asks_first_is_told_to_go_on(proxy: FaultProxy, upstream: Upstream) -> None:
    """`Expect: 100-continue` gets its answer before the body."""
    with socket.create_connection(proxy.address, timeout=2) as client:
        client.sendall(
            b"PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert client.recv(12) == b"HTTP/1.1 200"
    assert upstream.calls == [("PUT", "/a", b"body")]


@pytest.mark.parametrize(
    ("fault", "done"),
    [(faults.ResetBefore(), 0), (faults.ResetInside(), 0), (faults.LoseAnswer(), 1)],
)
def test_resets(proxy: FaultProxy, upstream: Upstream, fault: Fault, done: int) -> None:
    """The client sees a reset; the service has done the call only if its answer was lost."""
    proxy.plan = faults.once(fault)
    with pytest.raises(ConnectionResetError):
        _call(proxy)
    assert len(upstream.calls) == done
    assert (proxy.log[0].status, proxy.log[0].upstream) == (0, 200 * done)
    if isinstance(fault, faults.ResetInside):
        assert upstream.broken.wait(2)
    assert _call(proxy) == (200, BODY)


@pytest.mark.parametrize(
    ("answer", "status", "word"),
    [
        (faults.slow_down(), 503, b"<Code>SlowDown<"),
        (faults.internal_error(), 500, b"<Code>InternalError<"),
        (faults.expired_token(), 400, b"<Code>ExpiredToken<"),
        (faults.access_denied(), 403, b"<Code>AccessDenied<"),
        (faults.invalid_access_key(), 403, b"<Code>InvalidAccessKeyId<"),
        (faults.no_such_bucket(), 404, b"<Code>NoSuchBucket<"),
        (faults.time_skewed(), 403, b"<Code>RequestTimeTooSkewed<"),
        (faults.html(), 502, b"<html>"),
        (faults.html(200), 200, b"<html>"),
        (faults.Answer(403, b"early", early=True), 403, b"early"),
    ],
)
def test_answers(
    proxy: FaultProxy, upstream: Upstream, answer: faults.Answer, status: int, word: bytes
) -> None:
    """The client gets this answer, and the service is not asked."""
    proxy.plan = faults.always(answer)
    told, body = _call(proxy)
    assert (told, word in body) == (status, True)
    assert not upstream.calls
    assert (proxy.log[0].status, proxy.log[0].upstream) == (status, 0)


def test_an_answer_after_the_deed(proxy: FaultProxy, upstream: Upstream) -> None:
    """The service has done it, and the client is told 503."""
    proxy.plan = faults.always(faults.AnswerAfter(503))
    assert _call(proxy) == (503, b"")
    assert len(upstream.calls) == 1
    assert (proxy.log[0].status, proxy.log[0].upstream) == (503, 200)


def test_a_truncated_answer(proxy: FaultProxy) -> None:
    """Half of the body comes, or half of the head where there is no body."""
    proxy.plan = faults.always(faults.Truncate())
    with pytest.raises(http.client.IncompleteRead) as failed:
        _call(proxy)
    assert failed.value.partial == BODY[: len(BODY) // 2]
    with socket.create_connection(proxy.address, timeout=2) as client:
        client.sendall(b"GET /empty HTTP/1.1\r\nHost: h\r\n\r\n")
        got = b"".join(iter(lambda: client.recv(4096), b""))
    assert got.startswith(b"HTTP/1.1 200")
    assert b"\r\n\r\n" not in got


def test_a_wrong_body(proxy: FaultProxy) -> None:
    """The bytes are others, as many as they were."""
    proxy.plan = faults.always(faults.WrongBody())
    assert _call(proxy) == (200, bytes(byte ^ 0xFF for byte in BODY))


def test_rewritten_headers(proxy: FaultProxy) -> None:
    """The answer's header is the plan's, and only once there."""
    proxy.plan = faults.always(faults.Rewrite({"date": "Thu, 01 Jan 1970 00:00:00 GMT"}))
    with closing(_connect(proxy)) as connection:
        connection.request("GET", "/a")
        dates = connection.getresponse().headers.get_all("Date")
    assert dates == ["Thu, 01 Jan 1970 00:00:00 GMT"]


def test_delays_and_trickles(proxy: FaultProxy) -> None:
    """Both take their time and end well."""
    for fault in (faults.Delay(0.2), faults.Trickle(600)):
        proxy.plan = faults.once(fault)
        began = time.monotonic()
        assert _call(proxy) == (200, BODY)
        assert 0.15 < time.monotonic() - began < 1.5


def test_a_black_hole(proxy: FaultProxy, upstream: Upstream) -> None:
    """Nothing comes back, until the proxy stops."""
    proxy.plan = faults.always(faults.BlackHole())
    with closing(_connect(proxy, 0.2)) as connection:
        connection.request("PUT", "/a", b"body")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        stopping = time.monotonic()
        proxy.stop()
        assert time.monotonic() - stopping < 1
    assert not upstream.calls


def test_a_half_closed_connection(proxy: FaultProxy, upstream: Upstream) -> None:
    """Instead of an answer the client reads the end, and may still write."""
    proxy.plan = faults.always(faults.HalfClose())
    with socket.create_connection(proxy.address, timeout=2) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert client.recv(100) == b""
        for _ in range(3):
            client.sendall(b"more")
    assert not upstream.calls


def test_plans_see_the_call(proxy: FaultProxy) -> None:
    """A plan may choose by method, path, number and headers, and calls are counted by fault."""
    seen: list[Request] = []

    def plan(request: Request) -> Fault:
        seen.append(request)
        return faults.slow_down() if request.number == 1 else faults.Pass()

    proxy.plan = plan
    for path in ("/a", "/b?c", "/d"):
        with suppress(OSError):
            _call(proxy, path=path)
    assert [(one.method, one.path, one.number) for one in seen] == [
        ("PUT", "/a", 0),
        ("PUT", "/b?c", 1),
        ("PUT", "/d", 2),
    ]
    assert seen[0].headers["content-length"] == "8"
    assert proxy.counts() == {"Pass": 2, "Answer": 1}
    assert (proxy.count("PUT"), proxy.count("GET"), proxy.count(path="b?")) == (3, 0, 1)
    proxy.forget()
    assert proxy.count() == 0


def test_a_stopped_proxy_refuses(upstream: Upstream) -> None:
    """Its port is closed, threads are gone, and another may take its place."""
    proxy = FaultProxy(upstream.address)
    with closing(_connect(proxy)) as connection:
        connection.request("GET", "/a")
        connection.getresponse().read()
        proxy.stop()
        proxy.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "fault-proxy"]
    with pytest.raises(ConnectionRefusedError):
        _call(proxy)
    with FaultProxy(upstream.address, port=proxy.address[1]) as again:
        assert _call(again) == (200, BODY)


def test_a_dead_service_is_a_reset(upstream: Upstream) -> None:
    """Where the service does not listen the client's connection breaks."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = nobody.getsockname()
    with FaultProxy(address) as proxy, pytest.raises(ConnectionResetError):
        _call(proxy)


def test_random_faults_are_random(proxy: FaultProxy) -> None:
    """The same seed fails the same calls; the share is about what was asked."""
    request = Request("PUT", "/a", 0, {})
    first, second = (
        [plan(request) for _ in range(400)]
        for plan in (faults.RandomFaults(7), faults.RandomFaults(7))
    )
    assert first == second
    assert 80 < sum(not isinstance(fault, faults.Pass) for fault in first) < 160
    assert all(fault in first for fault in faults.QUICK)


def test_a_signed_put_through_tls(ceph: Ceph, tls: Authority) -> None:
    """The gateway takes a call that was signed for the proxy, and refuses it without its key."""
    bucket = ceph.bucket()
    with FaultProxy(("127.0.0.1", ceph.ports.https), tls=tls) as proxy:
        client = ceph.client(endpoint=proxy.endpoint)
        client.put_object(Bucket=bucket, Key="a", Body=b"body" * 100_000)
        assert client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"body" * 100_000
        wrong = ceph.client(ceph.owner._replace(secret="x"), endpoint=proxy.endpoint)
        with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
            wrong.get_object(Bucket=bucket, Key="a")
        proxy.plan = faults.always(faults.slow_down())
        with pytest.raises(ClientError, match="SlowDown"):
            client.get_object(Bucket=bucket, Key="a")
        assert proxy.count("GET") == 3


@pytest.mark.parametrize("fault", [faults.ResetBefore(), faults.HalfClose(), faults.Pass()])
def test_faults_break_tls_too(upstream: Upstream, tls: Authority, fault: Fault) -> None:
    """Over TLS, too, a broken connection is an error (here: with a service that is not there)."""
    with FaultProxy(("127.0.0.1", 1), tls=tls, plan=faults.always(fault)) as proxy:
        context = ssl.create_default_context(cafile=str(tls.ca_bundle))
        connection = http.client.HTTPSConnection(*proxy.address, timeout=2, context=context)
        with closing(connection):
            connection.request("GET", "/a")
            with pytest.raises((OSError, http.client.HTTPException)):
                connection.getresponse()


def _connect(proxy: FaultProxy, timeout: float = 2) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(*proxy.address, timeout=timeout)
