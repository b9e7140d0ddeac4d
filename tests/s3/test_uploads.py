"""Uploads that repeat boto3's request: as boto3 would have made them, in success and in failure."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest

from shipper.config import S3Options, StoreOptions
from shipper.errors import RefusedError, StoreError
from shipper.store.open import open_store
from shipper.store.s3.store import S3Store
from shipper.store.s3.uploads import Uploads
from tests.s3 import faults
from tests.s3.ceph import Ceph, Keys
from tests.s3.proxy import FaultProxy
from tests.s3.stores import open_s3, write_credentials

BOTO3_ALONE = {"amz-sdk-invocation-id", "amz-sdk-request"}
"""Headers by which boto3 numbers its own tries; no service needs them."""

EACH_ITS_OWN = {"authorization", "x-amz-date", "x-amz-object-lock-retain-until-date"}
"""Headers whose values depend on the time."""


SHA256 = base64.b64encode(hashlib.sha256(b"body").digest()).decode()


class Sent(NamedTuple):
    """What came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def wire() -> Iterator[tuple[str, list[Sent]]]:
    """An HTTP server that takes every upload, also as a proxy, and what it was sent."""
    seen: list[Sent] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers["content-length"]))
            seen.append(Sent(self.requestline, headers, body))
            self.send_response(200)
            self.send_header("ETag", '"0"')
            self.send_header("x-amz-version-id", "v")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    server.server_close()


def store_at(endpoint: str, directory: Path, s3: dict[str, Any], **options: Any) -> S3Store:
    """A store whose locks are not read back."""
    credentials = write_credentials(directory, Keys("access", "secret"))
    reach: dict[str, Any] = {
        "endpoint_url": endpoint,
        "region": "eu-1",
        "credentials_file": str(credentials),
    }
    store = open_store(
        StoreOptions(
            url="s3://archive/p=1", s3=S3Options(**(reach | s3)), confirm="none", **options
        )
    )
    assert isinstance(store, S3Store)
    return store


@pytest.mark.parametrize(
    ("s3", "options"),
    [
        ({"addressing_style": "path"}, {}),
        ({"addressing_style": "virtual"}, {"mode": "GOVERNANCE"}),
        ({"sse": "aws:kms", "sse_kms_key_id": "k", "bucket_owner": "123456789012"}, {}),
        ({"sse": "AES256"}, {"lock": "bucket-default"}),
    ],
)
def test_a_repeat_is_what_boto3_would_have_sent(
    wire: tuple[str, list[Sent]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    s3: dict[str, Any],
    options: dict[str, Any],
) -> None:
    """The second upload equals the one that a new store, and boto3, makes of the same object."""
    endpoint, seen = wire
    if s3.get("addressing_style") == "virtual":  # a name that only a proxy knows
        monkeypatch.setenv("HTTP_PROXY", endpoint)
        endpoint = "http://s3.example.test"
    store = store_at(endpoint, tmp_path, s3, **options)
    store.put("one/a", b"first")
    assert store.put("two/b (c)=d", b"second").version == "v"
    store_at(endpoint, tmp_path, s3, **options).put("two/b (c)=d", b"second")
    _, again, by_boto3 = seen
    assert again.line == by_boto3.line
    assert again.body == by_boto3.body == b"second"
    assert by_boto3.headers.keys() >= BOTO3_ALONE  # or there is nothing to compare
    assert again.headers.keys() == by_boto3.headers.keys() - BOTO3_ALONE
    for name in again.headers.keys() - EACH_ITS_OWN:
        assert again.headers[name] == by_boto3.headers[name]


class Elsewhere:
    """A client of a botocore that keeps its connections somewhere else."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        if name == "_endpoint":
            raise AttributeError(name)
        return getattr(self._client, name)


@pytest.mark.parametrize("kept_elsewhere", [True, False])
def test_without_botocores_connections_boto3_makes_each(
    wire: tuple[str, list[Sent]], *, kept_elsewhere: bool
) -> None:
    """What botocore does not promise may go with any version of it; uploads do not."""
    endpoint, seen = wire
    client: Any = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="eu-1",
        aws_access_key_id="a",
        aws_secret_access_key="s",
    )
    uploads = Uploads()
    uploads.watch(client)
    for key in ("a", "b"):
        given = {"Bucket": "archive", "Key": key, "Body": b"body", "ChecksumSHA256": SHA256}
        assert uploads.put(Elsewhere(client) if kept_elsewhere else client, given)["ETag"] == '"0"'
    first, second = seen
    assert first.headers.keys() >= BOTO3_ALONE
    assert (second.headers.keys() >= BOTO3_ALONE) is kept_elsewhere


@pytest.mark.parametrize(
    "fault", [*faults.REFUSALS, faults.slow_down(), faults.internal_error(), faults.html(502)]
)
def test_a_repeat_fails_as_boto3_does(
    ceph: Ceph, ceph_proxy: FaultProxy, fault: faults.Fault
) -> None:
    """The same error, of the same kind, and the upload after it goes well."""
    bucket = ceph.bucket()

    def error_of(store: S3Store, key: str) -> StoreError:
        ceph_proxy.plan = faults.once(fault, "PUT")
        with pytest.raises(StoreError) as raised:
            store.put(key, b"body")
        return raised.value

    store = open_s3(ceph, bucket, endpoint=ceph_proxy.endpoint, confirm="none")
    store.put("a", b"body")
    again = error_of(store, "c")
    by_boto3 = error_of(open_s3(ceph, bucket, endpoint=ceph_proxy.endpoint), "c")
    assert (type(again), str(again)) == (type(by_boto3), str(by_boto3))
    assert isinstance(again, RefusedError) == (fault in faults.REFUSALS)
    assert store.put("d", b"body").version


def test_what_is_no_answer_can_be_tried_again(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """Resets, half-closed connections, a portal's page and an answer that is cut."""
    store = open_s3(ceph, ceph.bucket(), endpoint=ceph_proxy.endpoint, confirm="none")
    store.put("a", b"body")
    cut = faults.Answer(503, b"<Error>", {"Content-Length": "1000"})
    broken = (faults.ResetBefore(), faults.ResetInside(), faults.HalfClose())
    for number, fault in enumerate((*broken, cut, faults.html(200))):
        store.put(f"b{number}", b"body")  # by boto3, so that the next one is not
        ceph_proxy.plan = faults.once(fault, "PUT")
        with pytest.raises(StoreError) as raised:
            store.put("c", b"body" * 100_000)
        assert not isinstance(raised.value, RefusedError)
    assert store.put("c", b"body").version


def test_uploads_side_by_side(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """Threads share the pattern; a failure in one is a failure of no other."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket, endpoint=ceph_proxy.endpoint, confirm="none")
    bodies = {f"k{number}": b"%d" % number for number in range(40)}
    ceph_proxy.plan = faults.RandomFaults(7, kinds=(faults.slow_down(),))

    def upload(share: int) -> None:
        for key in list(bodies)[share::4]:
            while True:
                try:
                    store.put(key, bodies[key])
                except StoreError:
                    continue
                break

    threads = [threading.Thread(target=upload, args=(share,)) for share in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {entry.key: entry.versions for entry in store.scan("")} == dict.fromkeys(bodies, 1)
    reader = open_s3(ceph, bucket)
    assert {key: reader.get(key, max_bytes=9) for key in bodies} == bodies
