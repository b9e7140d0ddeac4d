"""Every answer of the preflight, on a real gateway: a good bucket, then one thing wrong each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from shipper.errors import RefusedError, StoreError
from shipper.store.base import Check
from tests.s3 import faults
from tests.s3.ceph import Ceph, Keys
from tests.s3.moto import Moto
from tests.s3.policies import allow, deny, policy
from tests.s3.proxy import FaultProxy
from tests.s3.stores import open_s3

WRITER = (
    "PutObject",
    "PutObjectRetention",
    "GetObject",
    "GetObjectRetention",
    "ListBucket",
    "ListBucketVersions",
    "GetBucketVersioning",
    "GetBucketObjectLockConfiguration",
)
"""What a writer may do, and no more."""


def _checks(ceph: Ceph, bucket: str, **options: Any) -> list[Check]:
    return list(open_s3(ceph, bucket, **options).preflight())


def _writer(ceph: Ceph, bucket: str, *more: str, without: str = "") -> Keys:
    """A user with the writer's permissions in that bucket, `more` of them or one fewer."""
    actions = [*(action for action in WRITER if action != without), *more]
    statements = [allow(bucket, *actions, user="writer")]
    if without:
        statements.append(deny(bucket, without, user="writer"))
    ceph.set_policy(bucket, policy(*statements))
    return ceph.user("writer")


def _bad(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.state, check.says) for check in checks if check.state != "ok"]


def _the_bad_one(checks: list[Check]) -> Check:
    bad = [check for check in checks if check.state != "ok"]
    assert len(bad) == 1, bad
    return bad[0]


@pytest.mark.parametrize("default", [None, ("COMPLIANCE", 400), ("GOVERNANCE", 1)])
def test_a_good_bucket(ceph: Ceph, default: tuple[str, int] | None) -> None:
    """With a writer that may write alone all is well, and nothing is left behind."""
    bucket = ceph.bucket(default=default)
    checks = _checks(ceph, bucket, keys=_writer(ceph, bucket))
    assert _bad(checks) == []
    assert len(checks) == 9
    listing = ceph.client().list_object_versions(Bucket=bucket)
    assert not listing.get("Versions")
    assert not listing.get("DeleteMarkers")


def test_the_buckets_default_is_enough(ceph: Ceph) -> None:
    """`bucket-default` is content with a default retention that is what is configured."""
    bucket = ceph.bucket(default=("COMPLIANCE", 400))
    checks = _checks(ceph, bucket, keys=_writer(ceph, bucket), lock="bucket-default")
    assert _bad(checks) == []


@pytest.mark.parametrize(
    ("default", "says"),
    [
        (("GOVERNANCE", 500), "the default retention is GOVERNANCE for 500 days, weaker than"),
        (("COMPLIANCE", 30), "the default retention is COMPLIANCE for 30 days, weaker than"),
        (None, "has no default retention"),
    ],
)
def test_a_weaker_default_is_refused(
    ceph: Ceph, default: tuple[str, int] | None, says: str
) -> None:
    """`bucket-default` must not be used with a default that is weaker, or none."""
    bucket = ceph.bucket(default=default)
    check = _the_bad_one(_checks(ceph, bucket, keys=_writer(ceph, bucket), lock="bucket-default"))
    assert check.state == "refused"
    assert says in check.says


@pytest.mark.parametrize(("required", "state"), [(True, "refused"), (False, "weak")])
def test_a_bucket_without_a_lock(ceph: Ceph, *, required: bool, state: str) -> None:
    """It is refused, or told where the configuration allows it."""
    bucket = ceph.bucket(lock=False)
    checks = _checks(ceph, bucket, keys=_writer(ceph, bucket), require_lock=required)
    found = [check for check in checks if "has no Object Lock" in check.says]
    assert [check.state for check in found] == [state]


def _knows_no(query: str) -> faults.Plan:
    """A service that has not implemented this call."""

    def plan(request: faults.Request) -> faults.Fault:
        unknown = request.path.endswith(f"?{query}")
        return faults.error(501, "NotImplemented") if unknown else faults.Pass()

    return plan


@pytest.mark.parametrize(
    ("query", "says"),
    [("versioning", "knows no versions"), ("object-lock", "has no Object Lock")],
)
def test_a_service_without_object_lock(
    ceph: Ceph, ceph_proxy: FaultProxy, query: str, says: str
) -> None:
    """One that is S3 in name is refused, as a bucket without a lock is."""
    ceph_proxy.plan = _knows_no(query)
    bucket = ceph.bucket()
    keys = _writer(ceph, bucket)
    bad = _bad(_checks(ceph, bucket, keys=keys, endpoint=ceph_proxy.endpoint))
    assert [says in said for state, said in bad if state == "refused"] == [True]


def test_a_service_without_object_lock_that_is_allowed(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """Where no lock is required an upload carries none."""
    ceph_proxy.plan = _knows_no("object-lock")
    bucket = ceph.bucket(lock=False)
    store = open_s3(ceph, bucket, endpoint=ceph_proxy.endpoint, require_lock=False)
    assert store.put("a", b"body").weak == ""
    assert store.get("a", max_bytes=4) == b"body"


def test_a_bucket_without_versions(ceph: Ceph) -> None:
    """Versioning off is refused even where no lock is required."""
    bucket = ceph.bucket(lock=False, versioning=False)
    checks = _checks(ceph, bucket, keys=_writer(ceph, bucket), require_lock=False)
    assert (checks[0].state, "versioning is off" in checks[0].says) == ("refused", True)


def test_a_missing_bucket(ceph: Ceph) -> None:
    """One answer, with the remedy, instead of one a question."""
    (check,) = _checks(ceph, "there-is-no-such-bucket")
    assert check.state == "failed"
    assert "NoSuchBucket" in check.says
    assert "make the bucket" in check.remedy


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"secret": "x"}, "SignatureDoesNotMatch"), ({"access": "X"}, "InvalidAccessKeyId")],
)
def test_wrong_keys(ceph: Ceph, wrong: dict[str, str], code: str) -> None:
    """One answer, with the remedy."""
    (check,) = _checks(ceph, ceph.bucket(), keys=ceph.owner._replace(**wrong))
    assert check.state == "failed"
    assert code in check.says
    assert "credentials" in check.remedy


def test_a_user_without_permissions(ceph: Ceph) -> None:
    """What may not be asked is unknown; what may not be done fails."""
    checks = _checks(ceph, ceph.bucket(), keys=ceph.user("stranger"))
    assert [check.state for check in checks if "can be written" in check.says] == []
    states = {check.state for check in checks}
    assert {"unknown", "failed"} <= states
    assert any(check.state == "failed" and "cannot be written" in check.says for check in checks)


@pytest.mark.parametrize(
    ("without", "state", "says"),
    [
        ("GetBucketVersioning", "unknown", "whether versioning is on"),
        ("GetBucketObjectLockConfiguration", "unknown", "could not be found out"),
        ("ListBucketVersions", "failed", "cannot be listed"),
        ("PutObject", "failed", "cannot be written"),
    ],
)
def test_a_missing_permission(ceph: Ceph, without: str, state: str, says: str) -> None:
    """Each is told by itself, and the rest is still asked."""
    bucket = ceph.bucket()
    check = _the_bad_one(_checks(ceph, bucket, keys=_writer(ceph, bucket, without=without)))
    assert check.state == state
    assert says in check.says


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("PutBucketObjectLockConfiguration",), ["change the bucket's lock"]),
        (("DeleteObjectVersion",), ["delete objects for good", "bypass a governance lock"]),
    ],
)
def test_a_user_who_may_destroy(ceph: Ceph, more: tuple[str, ...], said: list[str]) -> None:
    """Credentials that may do more than write are told, deed by deed, and nothing happens."""
    bucket = ceph.bucket(default=("COMPLIANCE", 400))
    bad = _bad(_checks(ceph, bucket, keys=_writer(ceph, bucket, *more)))
    assert bad == [("weak", f"the credentials can {deed}") for deed in said]
    lock = ceph.client().get_object_lock_configuration(Bucket=bucket)
    assert lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Days"] == 400
    assert "DeleteMarkers" not in ceph.client().list_object_versions(Bucket=bucket)


def test_the_owner_is_told(ceph: Ceph) -> None:
    """The bucket's owner may do all three; a policy on the bucket takes it from him, too."""
    bucket = ceph.bucket()
    assert [state for state, _ in _bad(_checks(ceph, bucket))] == ["weak"] * 3
    deeds = ("DeleteObjectVersion", "BypassGovernanceRetention", "PutBucketObjectLockConfiguration")
    ceph.set_policy(bucket, policy(deny(bucket, *deeds, user="owner")))
    assert _bad(_checks(ceph, bucket)) == []


@pytest.mark.parametrize(("minutes", "word"), [(10, "behind"), (-10, "ahead of")])
def test_a_wrong_clock(ceph: Ceph, ceph_proxy: FaultProxy, minutes: int, word: str) -> None:
    """A service whose clock is not ours is told, and which way."""
    bucket = ceph.bucket()
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    ceph_proxy.plan = faults.always(faults.Rewrite({"Date": date}), "GET")
    keys = _writer(ceph, bucket)
    check = _the_bad_one(_checks(ceph, bucket, keys=keys, endpoint=ceph_proxy.endpoint))
    assert check.state == "weak"
    assert f"s {word} the service's" in check.says


def test_a_service_without_a_clock(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """A date that cannot be read leaves the question open."""
    bucket = ceph.bucket()
    ceph_proxy.plan = faults.always(faults.Rewrite({"Date": "noon"}), "GET")
    keys = _writer(ceph, bucket)
    check = _the_bad_one(_checks(ceph, bucket, keys=keys, endpoint=ceph_proxy.endpoint))
    assert check == Check("unknown", "the service does not say what time it is")


def test_a_clock_that_the_service_refuses(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """A clock too far off is one answer, with the remedy."""
    ceph_proxy.plan = faults.always(faults.time_skewed())
    (check,) = _checks(ceph, ceph.bucket(), endpoint=ceph_proxy.endpoint)
    assert (check.state, "clock" in check.remedy) == ("failed", True)


def test_a_service_that_takes_any_body(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """A service that does not look at Content-MD5 is told: it keeps what was damaged."""
    bucket = ceph.bucket()
    ceph_proxy.plan = faults.always(faults.Answer(200, b"", {"ETag": '"x"'}), "PUT")
    keys = _writer(ceph, bucket)
    bad = _bad(_checks(ceph, bucket, keys=keys, endpoint=ceph_proxy.endpoint))
    assert [state for state, says in bad if "does not check what it stores" in says] == ["weak"]


def test_the_upload_is_as_the_daemons_are(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """A bucket's policy may ask for the configured lock and If-None-Match: both are there."""
    seen: list[Mapping[str, str]] = []

    def plan(request: faults.Request) -> faults.Fault:
        if ".preflight" in request.path and request.method == "PUT":
            seen.append(request.headers)
        return faults.Pass()

    ceph_proxy.plan = plan
    bucket = ceph.bucket()
    _checks(ceph, bucket, endpoint=ceph_proxy.endpoint, retention="400d", mode="GOVERNANCE")
    (headers,) = seen
    assert headers["if-none-match"] == "*"
    assert headers["x-amz-object-lock-mode"] == "GOVERNANCE"
    until = datetime.fromisoformat(headers["x-amz-object-lock-retain-until-date"])
    assert until > datetime.now(UTC) + timedelta(days=399, hours=23)


def test_a_service_without_conditions(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """Where If-None-Match is not known the upload is tried without."""

    def plan(request: faults.Request) -> faults.Fault:
        unknown = "if-none-match" in request.headers
        return faults.error(501, "NotImplemented") if unknown else faults.Pass()

    ceph_proxy.plan = plan
    bucket = ceph.bucket()
    keys = _writer(ceph, bucket)
    assert _bad(_checks(ceph, bucket, keys=keys, endpoint=ceph_proxy.endpoint)) == []


def test_what_an_earlier_preflight_left(moto: Moto) -> None:
    """A service that keeps what is damaged is told each time, though it has it already."""
    bucket = moto.bucket()
    for _ in range(2):
        checks = open_s3(moto, bucket).preflight()
        said = [check.state for check in checks if "does not check what it stores" in check.says]
        assert said == ["weak"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_is_not_answered_is_unknown(ceph: Ceph, ceph_proxy: FaultProxy, method: str) -> None:
    """A call that fails in passing leaves its question open."""
    bucket = ceph.bucket()
    ceph_proxy.plan = faults.always(faults.slow_down(), method)
    keys = _writer(ceph, bucket)
    bad = _bad(_checks(ceph, bucket, keys=keys, endpoint=ceph_proxy.endpoint))
    assert [state for state, _ in bad] == ["unknown", "unknown"]


def test_a_service_that_is_not_there(ceph: Ceph, ceph_proxy: FaultProxy) -> None:
    """Without any answer the preflight is an error that a later one may not meet."""
    ceph_proxy.stop()
    with pytest.raises(StoreError) as failed:
        _checks(ceph, ceph.bucket(), endpoint=ceph_proxy.endpoint)
    assert not isinstance(failed.value, RefusedError)
