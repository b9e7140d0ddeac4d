"""`verify` and `cat` of a bucket on a real gateway: verdicts, locks, and how many calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.s3.archive import LINES, Archive
from tests.s3.ceph import Ceph, Keys
from tests.s3.policies import allow, deny, policy
from tests.s3.proxy import FaultProxy


@pytest.fixture
def archive(ceph: Ceph, tmp_path: Path) -> Archive:
    """With locks of two days."""
    return Archive(ceph, tmp_path)


def test_a_good_archive(archive: Archive) -> None:
    """All that is asked holds, and the events come back byte for byte."""
    result = archive.run("verify", "--max-age", "1h", "--locked-until", "40h")
    assert result.exit_code == 0, result.output
    assert "retention     holds" in result.output
    assert archive.run("cat").stdout_bytes == LINES
    assert archive.run("verify", "--depth", "chain", "--locked-until", "40h").exit_code == 0


def test_a_lock_that_ends_too_early(archive: Archive) -> None:
    """Every object that is not locked long enough is named, exit code 6."""
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    result = archive.run("verify", "--locked-until", until)
    assert result.exit_code == 6
    assert result.output.count("lock-short") >= len(archive.listed("manifest"))


def test_a_governance_lock(ceph: Ceph, tmp_path: Path) -> None:
    """It is too weak unless it is enough for whoever asks."""
    archive = Archive(ceph, tmp_path, mode="GOVERNANCE")
    assert archive.run("verify", "--locked-until", "1d").exit_code == 6
    enough = archive.run("verify", "--locked-until", "1d", "--lock-mode", "GOVERNANCE")
    assert enough.exit_code == 0


def test_locks_that_may_not_be_read_are_unknown(archive: Archive) -> None:
    """An auditor without s3:GetObjectRetention gets exit code 3, not a pass."""
    may = ("GetObject", "GetObjectVersion", "ListBucket", "ListBucketVersions")
    archive.ceph.set_policy(
        archive.bucket,
        policy(
            allow(archive.bucket, *may, user="auditor"),
            deny(archive.bucket, "GetObjectRetention", user="auditor"),
        ),
    )
    archive.keys = archive.ceph.user("auditor")
    assert archive.run("verify").exit_code == 0
    result = archive.run("verify", "--locked-until", "1d")
    assert result.exit_code == 3
    assert "lock-unknown" in result.output


def test_hidden_and_overlaid_objects(archive: Archive) -> None:
    """Delete markers and newer versions are reported, and what lies below verifies."""
    client = archive.ceph.client()
    manifests, events = archive.listed("manifest"), archive.listed("events")
    client.delete_object(Bucket=archive.bucket, Key=f"p/{manifests[-1]}")
    client.delete_object(Bucket=archive.bucket, Key=f"p/{events[0]}")
    client.put_object(Bucket=archive.bucket, Key=f"p/{events[1]}", Body=b"nothing to see here")
    client.put_object(Bucket=archive.bucket, Key=f"p/{manifests[1]}", Body=b"nor here")
    result = archive.run("verify")
    assert result.exit_code == 1
    said = result.output
    assert (said.count("object-hidden:"), said.count("object-overlaid:")) == (2, 2)
    assert said.count(" fails: ") == said.count(" fails at ") + 4 == 4
    assert archive.run("cat").stdout_bytes == LINES


def test_a_foreign_object(archive: Archive) -> None:
    """What no manifest accounts for is reported."""
    key = archive.listed("events")[0].rpartition("/")[0] + "/hello"
    archive.ceph.client().put_object(Bucket=archive.bucket, Key=f"p/{key}", Body=b"hello")
    result = archive.run("verify")
    assert result.exit_code == 1
    assert "object-stray: No signed manifest accounts for this object" in result.output


def test_how_many_calls_it_takes(archive: Archive, ceph_proxy: FaultProxy) -> None:
    """Each object is read once, and listings do not grow with a log of less than a page."""
    archive.endpoint = ceph_proxy.endpoint
    assert archive.run("verify").exit_code == 0
    places = ("manifest", "events", "checkpoint")
    objects = sum(len(archive.listed(place)) for place in places)
    lists = ceph_proxy.count("GET", path="?versions") + ceph_proxy.count("GET", path="&versions")
    reads = ceph_proxy.count("GET") - lists
    assert reads == objects + 5  # log.note: asked for on the way to the log, and read twice
    assert lists <= 24
    ceph_proxy.forget()
    assert archive.run("verify", "--locked-until", "1d").exit_code == 0
    assert (
        ceph_proxy.count("GET", path="?retention") + ceph_proxy.count("GET", path="&retention")
        == objects + 1
    )


@pytest.mark.parametrize(
    ("url", "keys", "says"),
    [
        ("s3://there-is-no-such-bucket/p", None, "NoSuchBucket"),
        ("", Keys("WRONG", "wrong"), "InvalidAccessKeyId"),
    ],
)
def test_what_cannot_be_read_is_no_verdict(
    archive: Archive, url: str, keys: Keys | None, says: str
) -> None:
    """One clear line and exit code 3."""
    archive.keys = keys or archive.keys
    result = archive.run("verify", url=url)
    assert result.exit_code == 3
    assert says in result.output


def test_an_empty_place_is_no_success(archive: Archive) -> None:
    """Nothing found is exit code 3."""
    result = archive.run("verify", url=f"s3://{archive.bucket}/elsewhere")
    assert result.exit_code == 3
    assert "nothing-found" in result.output
