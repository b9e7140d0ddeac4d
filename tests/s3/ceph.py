"""Ceph's RADOS gateway with Object Lock, in memory: a real S3 service in two seconds.

What release 16.2 was seen to do, for those who write tests with it:

Enforced: SigV4, with AWS's codes (`SignatureDoesNotMatch`, `InvalidAccessKeyId`,
`RequestTimeTooSkewed`); COMPLIANCE and GOVERNANCE retention, legal hold, a default retention;
Content-MD5 (`BadDigest`, after the permissions). Bucket policies (`Ceph.set_policy`), for other
users and for the bucket's owner alike: a Deny holds for all of PutObject, DeleteObject,
DeleteObjectVersion, BypassGovernanceRetention, GetObjectRetention and
PutBucketObjectLockConfiguration; prefixes as resources, and `s3:prefix` as a condition, hold. User
policies (`Ceph.set_user_policy`) hold in the same way, Deny before Allow. A user whom no policy
names may do nothing; one with an Allow may do that and no more. The owner may always delete the
bucket's policy.

Not enforced, or otherwise than AWS does:
- Whoever may delete a version may bypass GOVERNANCE, unless BypassGovernanceRetention is denied; a
  bucket policy's Deny does not hold against a bypass that the user's own policy allows.
- A PUT's own lock, legal hold and tags need PutObject alone: PutObjectRetention and the like are
  asked for in later changes only.
- NotAction is passed over. The condition Null means "is missing", whatever its value, also of keys
  that are not known.
- Conditions on the lock (`s3:object-lock-mode`, `s3:object-lock-remaining-retention-days`) and on
  `aws:SecureTransport` never hold; neither does `x-amz-expected-bucket-owner`.
- An object belongs to the user who put it: that user may read it and its lock unless that is
  denied; the bucket's owner cannot read it without a policy, but can delete it.
- HEAD and GET leave the lock out without GetObjectRetention, as at AWS.
- `If-None-Match: *` writes a second version, a PUT with a lock needs no checksum, x-amz-checksum-*
  is not looked at, SSE-S3 (`AES256`) is ignored; SSE-KMS works with the key `testkey-1`.
- There are no roles: `CreateRole` fails, and with STS on every wrong key is `AccessDenied`.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config as BotoConfig

from tests.s3.ceph_conf import Ports, write_conf
from tests.s3.daemons import Daemons, free_ports, missing
from tests.s3.tls import Authority

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PACKAGES = {
    "ceph": "ceph-common",
    "ceph-mon": "ceph-mon",
    "ceph-osd": "ceph-osd",
    "radosgw": "radosgw",
    "radosgw-admin": "ceph-common",
}
"""The programs, and the Debian package of each."""

READY_SECONDS = 30.0
"""The longest wait for a start, which takes two seconds: a busy machine is no failure."""

_POLL_SECONDS = 0.03
_OWNER = "owner"


class Keys(NamedTuple):
    """The access key and the secret of a user."""

    access: str
    secret: str


class CephError(Exception):
    """The gateway does not run; the message ends with the tails of its logs."""


def missing_packages() -> list[str]:
    """The Debian packages that a gateway needs and this machine has not."""
    return sorted(set(missing(PACKAGES)))


class Ceph:
    """A gateway below `directory`. `owner` owns the buckets; other users get what policies give."""

    def __init__(self, directory: Path, tls: Authority) -> None:
        self.directory = directory
        self.ca_bundle = tls.ca_bundle
        self._pem = tls.server_pem
        self._users: dict[str, Keys] = {}
        self._clients: dict[tuple[Keys, str], S3Client] = {}
        self._adding = threading.Lock()
        try:
            self._start(directory / "1")
        except CephError:  # somebody else took one of the ports: once more, with others
            self._start(directory / "2")
        self.owner = self._users[_OWNER]

    @property
    def endpoint(self) -> str:
        """Where the gateway speaks TLS."""
        return f"https://127.0.0.1:{self.ports.https}"

    @property
    def http_endpoint(self) -> str:
        """Where it does not."""
        return f"http://127.0.0.1:{self.ports.http}"

    def stop(self) -> None:
        """End all daemons. May be called again."""
        self.daemons.stop()

    def user(self, name: str) -> Keys:
        """The keys of the user of that name, who is made at the first call (0.5 s)."""
        with self._adding:
            if name not in self._users:
                self._users[name] = self._add_user(name)
            return self._users[name]

    def client(self, keys: Keys | None = None, *, endpoint: str = "") -> S3Client:
        """The boto3 client with these keys, by default the owner's. It does not retry."""
        wanted = (keys or self.owner, endpoint or self.endpoint)
        with self._adding:
            if wanted not in self._clients:  # to make one takes 0.1 s
                self._clients[wanted] = self._make_client(*wanted)
            return self._clients[wanted]

    def _make_client(self, keys: Keys, endpoint: str) -> S3Client:
        return boto3.session.Session().client(
            "s3",
            aws_access_key_id=keys.access,
            aws_secret_access_key=keys.secret,
            region_name="us-east-1",
            endpoint_url=endpoint,
            verify=str(self.ca_bundle),
            config=BotoConfig(
                s3={"addressing_style": "path"},
                retries={"total_max_attempts": 1},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def bucket(
        self,
        name: str | None = None,
        *,
        lock: bool = True,
        versioning: bool = True,
        default: tuple[str, int] | None = None,
    ) -> str:
        """Make a bucket of the owner's. `default`: the mode and days of its default retention.

        Object Lock brings versioning with it; `versioning` is for buckets without.
        """
        name = name or f"b-{uuid.uuid4().hex[:16]}"
        client = self.client()
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=lock)
        if versioning and not lock:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if default is not None:
            self.set_default(name, *default)
        return name

    def set_default(self, bucket: str, mode: str, days: int) -> None:
        """Give the bucket that default retention."""
        self.client().put_object_lock_configuration(
            Bucket=bucket,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": mode, "Days": days}},  # type: ignore[typeddict-item]
            },
        )

    def set_policy(self, bucket: str, document: dict[str, Any]) -> None:
        """Give the bucket that policy."""
        self.client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))

    def set_user_policy(self, name: str, document: dict[str, Any]) -> None:
        """Give that user this policy, whatever the bucket."""
        self.user(name)
        boto3.session.Session().client(
            "iam",
            aws_access_key_id=self.owner.access,
            aws_secret_access_key=self.owner.secret,
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            verify=str(self.ca_bundle),
        ).put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))

    # ---- starting

    def _start(self, directory: Path) -> None:
        self.ports = Ports(*free_ports(4))
        fsid = uuid.uuid4()
        conf = write_conf(directory, self.ports, self._pem, fsid)
        # Ceph's tools are the system's: nothing of this virtual environment may reach them.
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self._environment = clean | {"CEPH_CONF": str(conf), "CEPH_ARGS": ""}
        self.daemons = Daemons(directory / "log", self._environment)
        try:
            self._start_daemons(directory, str(fsid))
            self._users = {_OWNER: self._add_user(_OWNER)}
            self._await_answer()
        except BaseException:
            self.stop()
            raise

    def _start_daemons(self, directory: Path, fsid: str) -> None:
        run, start = self._run, self.daemons.start
        monmap, osd = str(directory / "monmap"), str(uuid.uuid4())
        run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", self.ports.monitor, monmap)
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        start("mon", "ceph-mon", "-f", "-i", "a")
        run("ceph", "osd", "new", osd)
        run("ceph", "osd", "crush", "add-bucket", "default", "root")
        run("ceph", "osd", "crush", "add", "osd.0", "1.0", "root=default")
        run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        start("osd", "ceph-osd", "-f", "-i", "0")
        start("rgw", "radosgw", "-f", "-n", "client.rgw.a")

    def _await_answer(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                urllib.request.urlopen(self.http_endpoint, timeout=1).close()  # noqa: S310
            except OSError as error:
                dead = self.daemons.dead()
                if dead or time.monotonic() > end:
                    raise self._failure(dead or f"the gateway does not answer: {error}") from error
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _add_user(self, name: str) -> Keys:
        access, secret = uuid.uuid4().hex[:20].upper(), uuid.uuid4().hex
        self.admin(
            *("user", "create", f"--uid={name}", f"--display-name={name}"),
            *(f"--access-key={access}", f"--secret-key={secret}"),
            *(["--caps=user-policy=*"] if name == _OWNER else []),
        )
        return Keys(access, secret)

    def admin(self, *arguments: str) -> str:
        """The output of `radosgw-admin`."""
        return self._run("radosgw-admin", *arguments)

    def _run(self, *command: str) -> str:
        try:
            done = subprocess.run(
                command,
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=READY_SECONDS,
                check=True,
            )
        except subprocess.CalledProcessError as error:
            raise self._failure(f"{' '.join(command)}: {error.stderr}") from error
        except subprocess.TimeoutExpired as error:
            raise self._failure(f"{' '.join(command)} hangs") from error
        return done.stdout

    def _failure(self, what: str) -> CephError:
        return CephError(f"{self.daemons.dead() or what}\n{self.daemons.tails()}")
