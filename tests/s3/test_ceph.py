"""The gateway is one: it locks, checks signatures, and obeys policies."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.s3.ceph import Ceph, Keys
from tests.s3.daemons import Daemons
from tests.s3.policies import allow, deny, policy
from tests.s3.tls import authority


def _put(ceph: Ceph, bucket: str, mode: str = "", keys: Keys | None = None) -> str:
    lock = {}
    if mode:
        until = datetime.now(UTC) + timedelta(days=1)
        lock = {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": until}
    client = ceph.client(keys)
    return client.put_object(Bucket=bucket, Key="a", Body=b"x", **lock)["VersionId"]  # type: ignore[arg-type]


def test_a_locked_version_stays(ceph: Ceph) -> None:
    """Its own owner cannot delete it, nor bypass or shorten a COMPLIANCE lock."""
    bucket = ceph.bucket()
    version = _put(ceph, bucket, "COMPLIANCE")
    client = ceph.client()
    for bypass in (False, True):
        with pytest.raises(ClientError, match="forbidden by object lock"):
            client.delete_object(
                Bucket=bucket, Key="a", VersionId=version, BypassGovernanceRetention=bypass
            )
    with pytest.raises(ClientError, match="shortens"):
        client.put_object_retention(
            Bucket=bucket,
            Key="a",
            VersionId=version,
            Retention={
                "Mode": "COMPLIANCE",
                "RetainUntilDate": datetime.now(UTC) + timedelta(hours=1),
            },
        )


def test_an_unlocked_version_goes(ceph: Ceph) -> None:
    """What has no lock can be deleted, so that a refusal is the lock's doing."""
    bucket = ceph.bucket()
    version = _put(ceph, bucket)
    ceph.client().delete_object(Bucket=bucket, Key="a", VersionId=version)
    assert "Versions" not in ceph.client().list_object_versions(Bucket=bucket)


def test_a_default_retention_locks(ceph: Ceph) -> None:
    """An upload that asks for no lock gets the bucket's."""
    bucket = ceph.bucket(default=("GOVERNANCE", 2))
    _put(ceph, bucket)
    retention = ceph.client().get_object_retention(Bucket=bucket, Key="a")["Retention"]
    assert retention["Mode"] == "GOVERNANCE"
    assert retention["RetainUntilDate"] > datetime.now(UTC) + timedelta(days=1, hours=23)


@pytest.mark.parametrize(
    ("lock", "versioning", "status"), [(False, True, "Enabled"), (False, False, None)]
)
def test_buckets_without_a_lock(
    ceph: Ceph, *, lock: bool, versioning: bool, status: str | None
) -> None:
    """A bucket has versions, or not even those, if the test wants it so."""
    bucket = ceph.bucket(lock=lock, versioning=versioning)
    assert ceph.client().get_bucket_versioning(Bucket=bucket).get("Status") == status
    with pytest.raises(ClientError, match="ObjectLockConfigurationNotFoundError"):
        ceph.client().get_object_lock_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("keys", "code"),
    [({"secret": "wrong"}, "SignatureDoesNotMatch"), ({"access": "WRONG"}, "InvalidAccessKeyId")],
)
def test_wrong_keys_are_refused(ceph: Ceph, keys: dict[str, str], code: str) -> None:
    """Signatures are looked at."""
    with pytest.raises(ClientError, match=code):
        _put(ceph, ceph.bucket(), keys=ceph.owner._replace(**keys))


def test_another_authority_is_not_trusted(ceph: Ceph, tmp_path: Path) -> None:
    """The gateway's certificate is of this session's authority: clients with another refuse it."""
    for bundle, trusted in ((ceph.ca_bundle, True), (authority(tmp_path).ca_bundle, False)):
        context = ssl.create_default_context(cafile=str(bundle))
        with socket.create_connection(("127.0.0.1", ceph.ports.https)) as plain:
            if trusted:
                context.wrap_socket(plain, server_hostname="127.0.0.1").close()
            else:
                with pytest.raises(ssl.SSLCertVerificationError):
                    context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_user_may_what_the_bucket_policy_says(ceph: Ceph) -> None:
    """Another user may nothing; then what is allowed below a prefix; never what is denied."""
    bucket, writer = ceph.bucket(), ceph.user("writer")
    with pytest.raises(ClientError, match="AccessDenied"):
        _put(ceph, bucket, keys=writer)
    ceph.set_policy(bucket, policy(allow(bucket, "PutObject", user="writer", below="a")))
    _put(ceph, bucket, keys=writer)
    ceph.set_policy(bucket, policy(allow(bucket, "PutObject", user="writer", below="b")))
    with pytest.raises(ClientError, match="AccessDenied"):
        _put(ceph, bucket, keys=writer)
    for user, keys in (("writer", writer), ("owner", ceph.owner)):
        ceph.set_policy(
            bucket,
            policy(allow(bucket, "PutObject", user="writer"), deny(bucket, "PutObject", user=user)),
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            _put(ceph, bucket, keys=keys)


def test_a_bypass_can_be_denied(ceph: Ceph) -> None:
    """GOVERNANCE binds the owner once the bypass is denied, and only then."""
    bucket, client = ceph.bucket(), ceph.client()
    version = _put(ceph, bucket, "GOVERNANCE")
    ceph.set_policy(bucket, policy(deny(bucket, "BypassGovernanceRetention", user="owner")))
    with pytest.raises(ClientError, match="forbidden by object lock"):
        client.delete_object(
            Bucket=bucket, Key="a", VersionId=version, BypassGovernanceRetention=True
        )
    client.delete_bucket_policy(Bucket=bucket)
    client.delete_object(Bucket=bucket, Key="a", VersionId=version, BypassGovernanceRetention=True)


def test_a_user_policy_holds(ceph: Ceph) -> None:
    """A policy on the user gives and takes as one on the bucket does."""
    bucket, node = ceph.bucket(), ceph.user("node")
    ceph.set_user_policy("node", policy(allow(bucket, "PutObject")))
    _put(ceph, bucket, keys=node)
    ceph.set_user_policy("node", policy(allow(bucket, "PutObject"), deny(bucket, "PutObject")))
    with pytest.raises(ClientError, match="AccessDenied"):
        _put(ceph, bucket, keys=node)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)")
def test_daemons_do_not_outlive_the_tests(tmp_path: Path) -> None:
    """A test run that is killed leaves no server behind."""
    script = (
        "import time; from pathlib import Path; from tests.s3.daemons import Daemons\n"
        f"daemons = Daemons(Path({str(tmp_path)!r}), {{'PATH': {os.environ['PATH']!r}}})\n"
        "daemons.start('d', 'sleep', '60'); print(daemons.pids()['d'], flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        child = int(run.stdout.readline())
        run.kill()
    end = time.monotonic() + 5
    while _runs(child) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _runs(child)


def _runs(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def test_a_failed_start_shows_the_logs(tmp_path: Path) -> None:
    """What a daemon said last is in the message."""
    daemons = Daemons(tmp_path, {"PATH": os.environ["PATH"]})
    daemons.start("d", "sh", "-c", "echo no such thing; exit 3")
    end = time.monotonic() + 5
    while not daemons.dead() and time.monotonic() < end:
        time.sleep(0.01)
    assert daemons.dead() == "d ended with 3"
    assert daemons.tails() == "--- d.out\nno such thing"
    daemons.stop()
    daemons.stop()
