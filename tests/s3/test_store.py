"""`S3Store` on a real gateway: what lies there afterwards is looked at with another client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shipper.errors import (
    ConflictError,
    FormatError,
    NotFoundError,
    RefusedError,
    StoreError,
    UnknownError,
)
from tests.s3 import faults
from tests.s3.ceph import Ceph
from tests.s3.moto import Moto
from tests.s3.policies import allow, deny, policy
from tests.s3.proxy import FaultProxy
from tests.s3.stores import open_s3

DAY = timedelta(days=1)


def _versions(ceph: Ceph, bucket: str) -> list[tuple[str, str]]:
    listing = ceph.client().list_object_versions(Bucket=bucket)
    return [(one["Key"], one["VersionId"]) for one in listing.get("Versions", [])]


@pytest.mark.parametrize("mode", ["COMPLIANCE", "GOVERNANCE"])
def test_an_upload_carries_its_lock(ceph: Ceph, mode: str) -> None:
    """The version that put names is locked, in whole seconds and never for less than asked."""
    bucket = ceph.bucket()
    before = datetime.now(UTC)
    stored = open_s3(ceph, bucket, retention="2d", mode=mode).put("a/b", b"body")
    after = datetime.now(UTC)
    assert _versions(ceph, bucket) == [("p/a/b", stored.version)]
    assert stored.weak == ""
    lock = ceph.client().get_object_retention(Bucket=bucket, Key="p/a/b")["Retention"]
    assert lock["Mode"] == mode
    assert before + 2 * DAY <= lock["RetainUntilDate"] <= after + 2 * DAY + timedelta(seconds=1)
    assert lock["RetainUntilDate"].microsecond == 0


def test_again_finds_what_is_there(ceph: Ceph) -> None:
    """A repeat that says so writes no second version, and names the first."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket)
    first = store.put("a", b"body")
    assert store.put("a", b"body", again=True) == first
    assert _versions(ceph, bucket) == [("p/a", first.version)]


def test_again_uploads_what_is_not_there(ceph: Ceph) -> None:
    """A repeat after a try that never arrived is an upload."""
    bucket = ceph.bucket()
    stored = open_s3(ceph, bucket).put("a", b"body", again=True)
    assert _versions(ceph, bucket) == [("p/a", stored.version)]


@pytest.mark.parametrize("other", [b"bodY", b"bod", b"body!", b""])
def test_other_bytes_are_a_conflict(ceph: Ceph, other: bytes) -> None:
    """A repeat with other bytes changes nothing and says so."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket)
    first = store.put("a", b"body")
    with pytest.raises(ConflictError, match="a is stored already"):
        store.put("a", other, again=True)
    assert _versions(ceph, bucket) == [("p/a", first.version)]


def test_a_lost_answer_is_found(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """After a reset the object is there, and the repeat finds it."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket, endpoint=ceph_proxy.endpoint)
    ceph_proxy.plan = faults.once(faults.LoseAnswer(), "PUT")
    with pytest.raises(StoreError) as lost:
        store.put("a", b"body")
    assert not isinstance(lost.value, RefusedError)
    stored = store.put("a", b"body", again=True)
    assert _versions(ceph, bucket) == [("p/a", stored.version)]
    assert ceph_proxy.count("PUT") == 1


def test_the_buckets_default_locks(ceph: Ceph) -> None:
    """With `bucket-default` the writer needs no permission to lock, and the lock is confirmed."""
    bucket = ceph.bucket(default=("COMPLIANCE", 3))
    stored = open_s3(ceph, bucket, lock="bucket-default", retention="2d").put("a", b"body")
    assert stored.weak == ""
    lock = ceph.client().get_object_retention(Bucket=bucket, Key="p/a")["Retention"]
    assert lock["RetainUntilDate"] > datetime.now(UTC) + 2.9 * DAY


@pytest.mark.parametrize(
    ("default", "options", "says"),
    [
        (("GOVERNANCE", 1), {"retention": "400d"}, "less than store.retention"),
        (("GOVERNANCE", 2), {"retention": "1d"}, "GOVERNANCE mode, not COMPLIANCE"),
        (None, {}, "has no lock"),
    ],
)
def test_a_weaker_default_is_told(
    ceph: Ceph, default: tuple[str, int] | None, options: dict[str, str], says: str
) -> None:
    """A lock in force that is weaker than configured is in the answer, also at a repeat."""
    store = open_s3(ceph, ceph.bucket(default=default), lock="bucket-default", **options)
    first = store.put("a", b"body")
    assert says in first.weak
    assert store.put("a", b"body", again=True) == first


def test_a_stronger_default_is_enough(ceph: Ceph) -> None:
    """COMPLIANCE where GOVERNANCE was asked for is no weakness."""
    bucket = ceph.bucket(default=("COMPLIANCE", 2))
    store = open_s3(ceph, bucket, lock="bucket-default", retention="1d", mode="GOVERNANCE")
    assert store.put("a", b"body").weak == ""


@pytest.mark.parametrize(("confirm", "asked"), [("none", 0), ("sample", 1), ("all", 3)])
def test_how_often_locks_are_read_back(
    ceph: Ceph, ceph_proxy: FaultProxy, confirm: str, asked: int
) -> None:
    """Of no upload, of the first in a hundred, or of all; each upload is one call."""
    store = open_s3(ceph, ceph.bucket(), endpoint=ceph_proxy.endpoint, confirm=confirm)
    for number in range(3):
        store.put(f"{number}", b"body")
    assert ceph_proxy.count("PUT") == 3
    assert ceph_proxy.count(path="retention") == asked
    assert ceph_proxy.count() == 3 + asked


def test_a_bucket_without_a_lock_is_taken_if_allowed(ceph: Ceph) -> None:
    """With `require_lock: false` uploads carry no lock; without it they are refused."""
    bucket = ceph.bucket(lock=False)
    assert open_s3(ceph, bucket, require_lock=False).put("a", b"body").weak == ""
    with pytest.raises(RefusedError, match="InvalidRequest"):
        open_s3(ceph, bucket).put("b", b"body")
    assert [key for key, _ in _versions(ceph, bucket)] == ["p/a"]


def test_a_lock_is_used_where_it_is_not_required(ceph: Ceph) -> None:
    """`require_lock: false` on a bucket with Object Lock still locks."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket, require_lock=False)
    lock = store.lock("a", store.put("a", b"body").version)
    assert lock is not None
    assert lock.mode == "COMPLIANCE"


def test_listings_show_what_is_hidden(ceph: Ceph) -> None:
    """A delete marker and a second version are seen, and the first version can be read."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket)
    first = store.put("d/a", b"first").version
    store.put("d/b", b"b")
    client = ceph.client()
    second = client.put_object(Bucket=bucket, Key="p/d/a", Body=b"second")["VersionId"]
    client.delete_object(Bucket=bucket, Key="p/d/a")
    hidden, plain = store.scan("d/")
    assert (hidden.key, hidden.size, hidden.versions, hidden.markers, hidden.version) == (
        *("d/a", len(b"first"), 2, 1, first),
    )
    assert (plain.key, plain.versions, plain.markers) == ("d/b", 1, 0)
    assert store.versions("d/a") == [first, second]
    assert store.get("d/a", max_bytes=9, version=first) == b"first"
    assert store.get("d/a", max_bytes=9, version=second) == b"second"
    with pytest.raises(NotFoundError):
        store.get("d/a", max_bytes=9)
    assert [entry.key for entry in store.scan("d/", after="d/a")] == ["d/b"]


def test_a_hidden_object_is_stored_again(ceph: Ceph) -> None:
    """A repeat of what a marker hides makes it current again, without a word about a conflict."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket)
    first = store.put("a", b"body")
    ceph.client().delete_object(Bucket=bucket, Key="p/a")
    again = store.put("a", b"body", again=True)
    assert store.get("a", max_bytes=4) == b"body"
    assert store.versions("a") == [first.version, again.version]


def test_the_last_of_a_few(ceph: Ceph) -> None:
    """The last numbered name directly below the prefix, hidden ones too; others do not count."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket)
    assert store.last("c/") is None
    for name in ("c/000000000001", "c/000000000007-x", "c/000000000009/deeper", "c/log.note"):
        store.put(name, b"body")
    found = store.last("c/")
    assert found is not None
    assert found.key == "c/000000000007-x"
    ceph.client().delete_object(Bucket=bucket, Key="p/c/000000000007-x")
    assert store.last("c/") == found._replace(markers=1)


def test_children(ceph: Ceph) -> None:
    """Names one level below, only those with something below them."""
    store = open_s3(ceph, ceph.bucket())
    for key in ("n/x/1", "n/y/1/2", "n/z"):
        store.put(key, b"")
    assert store.children("n/") == ["x", "y"]
    assert store.children("") == ["n"]


@pytest.mark.parametrize("prefix", ["", "p", "deep/er"])
def test_keys_are_below_the_prefix(ceph: Ceph, prefix: str) -> None:
    """Two stores in one bucket do not see each other."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket, prefix)
    stored = store.put("a", b"body")
    assert _versions(ceph, bucket) == [(f"{prefix}/a".lstrip("/"), stored.version)]
    assert [entry.key for entry in store.scan("")] == ["a"]
    assert list(open_s3(ceph, bucket, "other").scan("")) == []


def test_no_more_is_read_than_was_asked(ceph: Ceph) -> None:
    """An object that is longer than expected is an error of form."""
    store = open_s3(ceph, ceph.bucket())
    store.put("a", b"body")
    with pytest.raises(FormatError, match="a has 4 bytes"):
        store.get("a", max_bytes=3)


def test_locks_are_read(ceph: Ceph) -> None:
    """The lock of a version; None where there is none; an error where there is no version."""
    bucket = ceph.bucket()
    store = open_s3(ceph, bucket, retention="2d", mode="GOVERNANCE")
    lock = store.lock("a", store.put("a", b"body").version)
    assert lock is not None
    assert lock.mode == "GOVERNANCE"
    assert lock.until > datetime.now(UTC) + 1.9 * DAY
    bare = ceph.client().put_object(Bucket=bucket, Key="p/b", Body=b"")["VersionId"]
    assert store.lock("b", bare) is None
    with pytest.raises(NotFoundError):
        store.lock("c", "")


def test_a_lock_that_may_not_be_asked_for_is_unknown(ceph: Ceph) -> None:
    """Without s3:GetObjectRetention silence proves nothing, neither to a reader nor to put."""
    bucket, keys = ceph.bucket(), ceph.user("writer")
    may = allow(bucket, "PutObject", "PutObjectRetention", "GetObject", user="writer")
    ceph.set_policy(bucket, policy(may, deny(bucket, "GetObjectRetention", user="writer")))
    store = open_s3(ceph, bucket, keys=keys)
    stored = store.put("a", b"body")
    assert "could not be confirmed" in stored.weak
    with pytest.raises(UnknownError, match="does not say how a is locked"):
        store.lock("a", stored.version)


def test_a_writer_with_the_least_permissions(ceph: Ceph) -> None:
    """With `confirm: none` PutObject on the prefix is enough, and nothing else is possible."""
    bucket, keys = ceph.bucket(), ceph.user("writer")
    ceph.set_policy(bucket, policy(allow(bucket, "PutObject", user="writer", below="p/")))
    stored = open_s3(ceph, bucket, keys=keys, confirm="none").put("a", b"body")
    assert _versions(ceph, bucket) == [("p/a", stored.version)]
    with pytest.raises(RefusedError, match="AccessDenied"):
        open_s3(ceph, bucket, "other", keys=keys).put("a", b"body")


def test_encryption_is_asked_for(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """`sse` and the key's id are in the upload's headers, and the service takes them."""
    bucket = ceph.bucket()
    seen: list[tuple[str | None, str | None]] = []

    def plan(request: faults.Request) -> faults.Fault:
        if request.method == "PUT":
            header, key = "x-amz-server-side-encryption", "-aws-kms-key-id"
            seen.append((request.headers.get(header), request.headers.get(header + key)))
        return faults.Pass()

    ceph_proxy.plan = plan
    for s3 in ({}, {"sse": "AES256"}, {"sse": "aws:kms", "sse_kms_key_id": "testkey-1"}):
        store = open_s3(ceph, bucket, endpoint=ceph_proxy.endpoint, s3=s3)
        store.put(f"a{len(seen)}", b"body")
        assert store.get(f"a{len(seen) - 1}", max_bytes=4) == b"body"
    assert seen == [(None, None), ("AES256", None), ("aws:kms", "testkey-1")]
    head = ceph.client().head_object(Bucket=bucket, Key="p/a2")
    assert head["ServerSideEncryption"] == "aws:kms"


def test_the_same_bytes_twice_are_one_object(moto: Moto) -> None:
    """Where the service knows If-None-Match the second upload is a success without a version."""
    bucket = moto.bucket()
    store = open_s3(moto, bucket, confirm="none", lock="bucket-default")
    first = store.put("a", b"body")
    assert store.put("a", b"body") == first
    with pytest.raises(ConflictError, match="a is stored already"):
        store.put("a", b"bodY")
    assert len(moto.client().list_object_versions(Bucket=bucket)["Versions"]) == 1
    assert store.versions("a") == [first.version]
