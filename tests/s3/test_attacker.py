"""An attacker's afternoon on a real gateway, in three characters.

The *writer* has the node's credentials, the *administrator* may do everything in the bucket but is
not its owner, the *owner* is what an account's root user is: all three meet COMPLIANCE. Each deed
ends refused, or done and with the right verdict; whatever was done, the sealed events come back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.deploy.policies import auditor_statements, naming_principals, writer_statements
from tests.s3.archive import LINES, Archive
from tests.s3.ceph import Ceph, Keys
from tests.s3.policies import allow, policy
from tests.s3.stores import open_s3


class Target:
    """One archive, and what the attacker finds in it."""

    def __init__(self, archive: Archive, client: Any) -> None:
        self.archive = archive
        self.bucket = archive.bucket
        self.client = client
        self.keys = {place: archive.listed(place) for place in ("manifest", "events", "checkpoint")}

    def key(self, place: str, at: int = -1) -> dict[str, str]:
        """Bucket and key of an object."""
        return {"Bucket": self.bucket, "Key": f"p/{self.keys[place][at]}"}

    def version(self, place: str, at: int = -1) -> dict[str, str]:
        """The same with its oldest version."""
        key = self.key(place, at)
        owner = self.archive.ceph.client()
        listed = owner.list_object_versions(Bucket=self.bucket, Prefix=key["Key"])
        return key | {"VersionId": listed["Versions"][-1]["VersionId"]}

    def body(self, place: str, at: int) -> bytes:
        """What the archive holds there."""
        store = open_s3(self.archive.ceph, self.bucket)
        return store.get(self.keys[place][at], max_bytes=2**20)


@dataclass(frozen=True)
class Deed:
    """What somebody can do; `verify` must then say `says` and end with `exit_code`."""

    name: str
    do: Callable[[Target], Any]
    exit_code: int
    says: str = ""

    def __str__(self) -> str:
        return self.name


def _retention(target: Target, mode: str, days: float) -> None:
    target.client.put_object_retention(
        **target.version("events"),
        Retention={"Mode": mode, "RetainUntilDate": datetime.now(UTC) + timedelta(days=days)},
        BypassGovernanceRetention=True,
    )


def _default(target: Target, mode: str, days: int) -> None:
    target.client.put_object_lock_configuration(
        Bucket=target.bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": mode, "Days": days}},
        },
    )


def _put(target: Target, place: str, at: int, body: bytes) -> None:
    target.client.put_object(**target.key(place, at), Body=body)


def _swap(target: Target, place: str) -> None:
    one, other = target.body(place, 0), target.body(place, 1)
    _put(target, place, 0, other)
    _put(target, place, 1, one)


def _hide_all(target: Target) -> None:
    for place, keys in target.keys.items():
        for at in range(len(keys)):
            target.client.delete_object(**target.key(place, at))


def _hide_newest(target: Target) -> None:
    target.client.delete_object(**target.key("checkpoint"))
    target.client.delete_object(**target.key("manifest"))


def _forge(target: Target) -> None:
    """A next manifest, made from the last one, under the next number."""
    forged = target.body("manifest", -1).replace(b'"kind":"shutdown"', b'"kind":"heartbeat"')
    key = target.keys["manifest"][-1]
    number = int(key.rpartition("/")[2][:12]) + 1
    place = key.rpartition("/")[0]
    target.client.put_object(
        Bucket=target.bucket, Key=f"p/{place}/{number:012d}-{'0' * 16}.note", Body=forged
    )


def _empty_bucket(target: Target) -> None:
    target.client.delete_bucket(Bucket=target.bucket)


REFUSED: dict[str, Callable[[Target], Any]] = {
    "delete a version": lambda t: t.client.delete_object(**t.version("events")),
    "delete it past a governance lock": lambda t: t.client.delete_object(
        **t.version("manifest"), BypassGovernanceRetention=True
    ),
    "shorten a lock": lambda t: _retention(t, "COMPLIANCE", 0.5),
    "weaken a lock": lambda t: _retention(t, "GOVERNANCE", 30),
    "turn versioning off": lambda t: t.client.put_bucket_versioning(
        Bucket=t.bucket, VersioningConfiguration={"Status": "Suspended"}
    ),
    "delete the bucket": lambda t: t.client.delete_bucket(Bucket=t.bucket),
}
"""What nobody may, not even the owner."""

REFUSED_TO_THE_WRITER: dict[str, Callable[[Target], Any]] = {
    "hide an object": lambda t: t.client.delete_object(**t.key("events")),
    "shorten the default": lambda t: _default(t, "GOVERNANCE", 1),
    "change the policy": lambda t: t.client.delete_bucket_policy(Bucket=t.bucket),
}

BY_THE_WRITER = [
    Deed("overwrite events", lambda t: _put(t, "events", 0, b"not here"), 1, "object-overlaid"),
    Deed("overwrite a manifest", lambda t: _put(t, "manifest", 2, b"nor"), 1, "object-overlaid"),
    Deed("swap two batches", lambda t: _swap(t, "events"), 1, "object-overlaid"),
    Deed("swap two manifests", lambda t: _swap(t, "manifest"), 1, "object-overlaid"),
    Deed("forge the next manifest", _forge, 1, "note-unsigned"),
    Deed("repeat an upload", lambda t: _put(t, "events", 0, t.body("events", 0)), 0),
    Deed("lengthen a lock", lambda t: _retention(t, "COMPLIANCE", 30), 0),
]

BY_THE_ADMINISTRATOR = [
    Deed("hide an object", lambda t: t.client.delete_object(**t.key("events")), 1, "object-hidden"),
    Deed("hide the newest records", _hide_newest, 1, "object-hidden"),
    Deed("hide everything", _hide_all, 1, "object-hidden"),
    Deed("shorten the default", lambda t: _default(t, "GOVERNANCE", 1), 0),
]


def _writer(ceph: Ceph, bucket: str) -> Keys:
    keys = ceph.user("attacked-node")
    statements = naming_principals(writer_statements(bucket, "p", sets_retention=True))
    ceph.set_user_policy("attacked-node", policy(*statements))
    return keys


def _administrator(ceph: Ceph, bucket: str) -> Keys:
    ceph.set_policy(bucket, policy(allow(bucket, "*", user="administrator")))
    return ceph.user("administrator")


def _owner(ceph: Ceph, bucket: str) -> Keys:
    return ceph.owner


def _target(ceph: Ceph, root: Path, keys: Callable[[Ceph, str], Keys]) -> Target:
    archive = Archive(ceph, root)
    archive.keys = ceph.user("auditor")
    ceph.set_user_policy("auditor", policy(*auditor_statements(archive.bucket)))
    return Target(archive, ceph.client(keys(ceph, archive.bucket)))


@pytest.mark.parametrize("who", [_writer, _administrator, _owner])
def test_what_is_refused(ceph: Ceph, tmp_path: Path, who: Callable[[Ceph, str], Keys]) -> None:
    """Nothing that is locked goes away or gets a lesser lock, whoever asks."""
    target = _target(ceph, tmp_path, who)
    deeds = REFUSED | (REFUSED_TO_THE_WRITER if who is _writer else {})
    for name, deed in deeds.items():
        with pytest.raises(ClientError) as refused:
            deed(target)
        status = refused.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert 400 <= status < 500, name
    assert target.archive.run("verify", "--locked-until", "40h").exit_code == 0
    _comes_back(target, LINES)


@pytest.mark.parametrize("deed", BY_THE_WRITER, ids=str)
def test_with_the_writers_credentials(ceph: Ceph, tmp_path: Path, deed: Deed) -> None:
    """Whoever has taken the node's credentials can add, and is noticed; the events are there."""
    _carry_out(deed, _target(ceph, tmp_path, _writer))


@pytest.mark.parametrize("deed", BY_THE_ADMINISTRATOR, ids=str)
def test_with_an_administrators_credentials(ceph: Ceph, tmp_path: Path, deed: Deed) -> None:
    """Whoever may do everything in the bucket can hide, and is noticed; the events are there."""
    _carry_out(deed, _target(ceph, tmp_path, _administrator))


def _carry_out(deed: Deed, target: Target) -> None:
    deed.do(target)
    result = target.archive.run("verify")
    assert result.exit_code == deed.exit_code, result.output
    assert deed.says in result.output
    _comes_back(target, LINES, exit_code=deed.exit_code)


def _comes_back(target: Target, lines: bytes, *, exit_code: int = 0) -> None:
    """Byte for byte, whatever lies over it; the exit code is that of what was found."""
    result = target.archive.run("cat")
    assert result.stdout_bytes == lines
    assert result.exit_code == exit_code, result.output


def test_a_shortened_default_weakens_nothing_stored(ceph: Ceph, tmp_path: Path) -> None:
    """What is stored keeps its lock; what comes later carries its own, whatever the default is."""
    target = _target(ceph, tmp_path, _administrator)
    _default(target, "GOVERNANCE", 1)
    with target.archive.place.log.open("ab") as log:
        log.write(LINES)
    target.archive.ship()
    assert target.archive.run("verify", "--locked-until", "40h").exit_code == 0
    _comes_back(target, LINES * 2)


def test_a_policy_that_locks_everybody_out(ceph: Ceph, tmp_path: Path) -> None:
    """An administrator who denies all reading leaves the auditor without a verdict, never with a
    good one; with the policy gone all is there."""
    target = _target(ceph, tmp_path, _administrator)
    everything = {"Effect": "Deny", "Principal": "*", "Action": ["s3:Get*", "s3:List*"]}
    resources = [f"arn:aws:s3:::{target.bucket}", f"arn:aws:s3:::{target.bucket}/*"]
    document = policy(everything | {"Resource": resources})
    target.client.put_bucket_policy(Bucket=target.bucket, Policy=json.dumps(document))
    assert target.archive.run("verify").exit_code == 3
    ceph.client().delete_bucket_policy(Bucket=target.bucket)
    assert target.archive.run("verify").exit_code == 0
