"""Answers that break off, or are not S3's at all: failures that pass, never a conclusion."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shipper.errors import ConflictError, RefusedError, StoreError, UnknownError
from shipper.store.s3.store import S3Store
from tests.s3 import faults
from tests.s3.ceph import Ceph
from tests.s3.faults import Answer
from tests.s3.proxy import FaultProxy
from tests.s3.stores import open_s3

BODY = b'{"a":"body that may break off"}\n' * 4
KEY = "m/000000000001-a"
CUT_EVERY_BYTES = 11
LONGEST_ANSWER = 1500

CONCLUSIONS = (ConflictError, RefusedError, UnknownError)
"""What is believed of the store, and not of one answer."""

CALLS: dict[str, Callable[[S3Store], Any]] = {
    "put": lambda store: store.put(KEY, BODY).weak,
    "again": lambda store: store.put(KEY, BODY, again=True),
    "get": lambda store: store.get(KEY, max_bytes=1000),
    "scan": lambda store: [(entry.key, entry.size) for entry in store.scan("m/")],
    "last": lambda store: store.last("n/"),
    "children": lambda store: store.children(""),
    "versions": lambda store: store.versions("n/000000000001-b"),
    "lock": lambda store: store.lock(KEY, ""),
    "preflight": lambda store: [check.state for check in store.preflight()],
}

PAGES = {
    "empty": Answer(200),
    "well-formed": Answer(200, b"<html><body/></html>"),
    "static": Answer(
        200, b"<html>", {"ETag": '"x"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
    ),
    "not-found": Answer(404, b"<html>Not Found</html>"),
    "redirect": Answer(302, b"", {"Location": "http://127.0.0.1:1/"}),
    "half-a-listing": Answer(
        200,
        b"<ListVersionsResult><IsTruncated>false</IsTruncated>"
        b"<Version><Key>p/m/0</Key></Version></ListVersionsResult>",
    ),
}


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """botocore follows redirects by recursion, to Python's limit: what the collector finds of other
    tests' garbage down there could not even be warned of."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def proxy(ceph: Ceph) -> Iterator[FaultProxy]:
    """Without TLS: a new connection is made for each answer that breaks off."""
    with FaultProxy(("127.0.0.1", ceph.ports.http)) as made:
        yield made


@pytest.fixture
def store(ceph: Ceph, proxy: FaultProxy) -> S3Store:
    """With something in it, its locks read back at each upload."""
    made = open_s3(ceph, ceph.bucket(), endpoint=proxy.endpoint, confirm="all")
    made.put(KEY, BODY)
    made.put("n/000000000001-b", BODY)
    return made


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"preflight"}))
def test_an_answer_that_breaks_off(store: S3Store, proxy: FaultProxy, name: str) -> None:
    """Wherever it does, the call gives the whole answer or fails in a way that passes."""
    right, failures, cuts = CALLS[name](store), 0, range(1, LONGEST_ANSWER, CUT_EVERY_BYTES)
    for cut in cuts:
        proxy.plan = faults.once(faults.CutOff(cut))
        try:
            assert CALLS[name](store) == right, cut
        except CONCLUSIONS:
            raise
        except StoreError:
            failures += 1
    assert 10 < failures < len(cuts)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", CALLS)
def test_a_page_of_something_in_between(
    store: S3Store, proxy: FaultProxy, name: str, page: str
) -> None:
    """What a load balancer or a portal says is a failure that passes, whatever was asked."""
    proxy.plan = faults.always(PAGES[page])
    with pytest.raises(StoreError) as failed:
        CALLS[name](store)
    assert not isinstance(failed.value, CONCLUSIONS)


def test_a_damaged_answer_is_no_conflict(store: S3Store, proxy: FaultProxy) -> None:
    """An object that is read with other bytes once is read again before anybody is accused."""
    proxy.plan = faults.once(faults.WrongBody(), "GET")
    with pytest.raises(StoreError) as failed:
        store.put(KEY, BODY, again=True)
    assert not isinstance(failed.value, ConflictError)
    assert store.put(KEY, BODY, again=True).weak == ""


@pytest.mark.parametrize(
    "answer", [faults.expired_token(), faults.time_skewed(), faults.no_such_bucket(), Answer(200)]
)
def test_a_lock_that_cannot_be_asked_for_now(
    store: S3Store, proxy: FaultProxy, answer: Answer
) -> None:
    """The upload is tried again; that its lock is unknown is not said of it for good."""
    proxy.plan = lambda request: answer if "retention" in request.path else faults.Pass()
    with pytest.raises(StoreError) as failed:
        store.put("n/000000000002-c", BODY)
    assert not isinstance(failed.value, UnknownError)
    proxy.plan = faults.passes
    assert store.put("n/000000000002-c", BODY, again=True).weak == ""
