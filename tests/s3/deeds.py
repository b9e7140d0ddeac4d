"""What somebody may try in the bucket of deploy/terraform/aws, deed by deed.

Each names the statement of the module's policies that refuses it, or that draws the line beyond
which it lies. A deed is a call and its answer; it says nothing about who calls.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from tests.s3.ceph import Ceph, Keys

PREFIX = "p"
RETENTION_DAYS = 400


class Scene(NamedTuple):
    """A bucket with three objects below the prefix and one beside it, each by its version."""

    bucket: str
    versions: dict[str, str]

    def at(self, key: str) -> dict[str, str]:
        """Where an object is."""
        return {"Bucket": self.bucket, "Key": key}

    def version(self, key: str) -> dict[str, str]:
        """Where its version is."""
        return self.at(key) | {"VersionId": self.versions[key]}


Do = Callable[[Any, Scene], object]
"""A boto3 client, and what it finds."""


@dataclass(frozen=True)
class Deed:
    """`statement` is a Sid of the module."""

    statement: str
    name: str
    do: Do

    def __str__(self) -> str:
        return f"{self.statement}: {self.name}"


LOCKED, GOVERNED, FREE, BESIDE = "p/locked", "p/governed", "p/free", "elsewhere/x"


def scene(ceph: Ceph, keys: Keys) -> Scene:
    """A new bucket, with objects by the user with these keys."""
    bucket, client = ceph.bucket(), ceph.client(keys)
    locks = {LOCKED: lock("COMPLIANCE", 2), GOVERNED: lock("GOVERNANCE", 2), FREE: {}, BESIDE: {}}
    put: Any = client.put_object
    return Scene(
        bucket,
        {
            key: put(Bucket=bucket, Key=key, Body=b"x", **how)["VersionId"]
            for key, how in locks.items()
        },
    )


def lock(mode: str, days: float) -> dict[str, Any]:
    """The parameters of an upload with that lock."""
    return {"ObjectLockMode": mode, "ObjectLockRetainUntilDate": _in(days)}


def put(key: str, **how: Any) -> Do:
    """An upload."""
    return lambda client, at: client.put_object(**at.at(key), Body=b"x", **how)


def _in(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def _retain(key: str, mode: str, days: float, *, bypass: bool = False) -> Do:
    return lambda client, at: client.put_object_retention(
        **at.version(key),
        Retention={"Mode": mode, "RetainUntilDate": _in(days)},
        BypassGovernanceRetention=bypass,
    )


def _bucket(operation: str, **how: Any) -> Do:
    return lambda client, at: getattr(client, operation)(Bucket=at.bucket, **how)


def _object(operation: str, key: str, **how: Any) -> Do:
    return lambda client, at: getattr(client, operation)(**at.at(key), **how)


def _version(operation: str, key: str, **how: Any) -> Do:
    return lambda client, at: getattr(client, operation)(**at.version(key), **how)


def _delete_many(client: Any, at: Scene) -> None:
    """This call succeeds whatever it does; what was refused is in the answer."""
    answer = client.delete_objects(Bucket=at.bucket, Delete={"Objects": [{"Key": LOCKED}]})
    for error in answer.get("Errors", []):
        raise ClientError({"Error": {"Code": error["Code"]}}, "DeleteObjects")


def _open_to_all(client: Any, at: Scene) -> object:
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{at.bucket}/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return client.put_bucket_policy(Bucket=at.bucket, Policy=document)


def _deeds(statement: str, rows: dict[str, Do]) -> list[Deed]:
    return [Deed(statement, name, do) for name, do in rows.items()]


_TAGS = {"TagSet": [{"Key": "a", "Value": "b"}]}
_EXPIRES = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}
_ONE_DAY = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
_CORS = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
_FULL = lock("COMPLIANCE", RETENTION_DAYS)

_DELETES = _deeds(
    "NobodyDeletes",
    {
        "hide an object": _object("delete_object", LOCKED),
        "hide many": _delete_many,
        "delete a version without a lock": _version("delete_object", FREE),
    },
)
_SHORTENS = Deed(
    "NobodyBypassesGovernance",
    "shorten a governance lock",
    _retain(GOVERNED, "GOVERNANCE", 1, bypass=True),
)
_DELETES_PAST = Deed(
    "NobodyBypassesGovernance",
    "delete past a governance lock",
    _version("delete_object", GOVERNED, BypassGovernanceRetention=True),
)

REFUSED_TO_ALL = [*_DELETES, _SHORTENS, _DELETES_PAST]
"""What the bucket refuses to its owner too."""

REFUSED = [
    *_DELETES,
    _SHORTENS,
    *_deeds(
        "WriterAddsAndReadsOnly",
        {
            "hide an object": _object("delete_object", LOCKED),
            "delete a version without a lock": _version("delete_object", FREE),
            "delete past a governance lock": _DELETES_PAST.do,
            "weaken the bucket's lock": _bucket(
                "put_object_lock_configuration",
                ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": _ONE_DAY},
            ),
            "set versioning": _bucket(
                "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}
            ),
            "expire objects": _bucket(
                "put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": [_EXPIRES]}
            ),
            "drop the lifecycle": _bucket("delete_bucket_lifecycle"),
            "open the bucket by policy": _open_to_all,
            "drop the policy": _bucket("delete_bucket_policy"),
            "open the bucket by ACL": _bucket("put_bucket_acl", ACL="public-read"),
            "open an object by ACL": _object("put_object_acl", LOCKED, ACL="public-read"),
            "open a version by ACL": _version("put_object_acl", LOCKED, ACL="public-read"),
            "allow public access": _bucket("delete_public_access_block"),
            "let browsers in": _bucket("put_bucket_cors", CORSConfiguration={"CORSRules": [_CORS]}),
            "let others pay": _bucket(
                "put_bucket_request_payment", RequestPaymentConfiguration={"Payer": "Requester"}
            ),
            "tag the bucket": _bucket("put_bucket_tagging", Tagging=_TAGS),
            "tag an object": _object("put_object_tagging", LOCKED, Tagging=_TAGS),
            "hold an object": _object("put_object_legal_hold", LOCKED, LegalHold={"Status": "ON"}),
            "delete the bucket": _bucket("delete_bucket"),
            "read the policy": _bucket("get_bucket_policy"),
            "read the lifecycle": _bucket("get_bucket_lifecycle_configuration"),
            "read the bucket's ACL": _bucket("get_bucket_acl"),
            "read an object's ACL": _object("get_object_acl", LOCKED),
            "list uploads": _bucket("list_multipart_uploads"),
        },
    ),
]
"""What the bucket refuses to a writer who may otherwise do everything."""

REFUSED_WITH_A_DEFAULT = _deeds(
    "WriterLeavesLocksAlone", {"lengthen a lock": _retain(LOCKED, "COMPLIANCE", 400)}
)
"""The same where the bucket's default locks (`writer_sets_retention = false`)."""

REFUSED_WITH_A_KEY = _deeds(
    "NobodyWithTheKeyOfAws", {"use AWS's own key": put("p/x", ServerSideEncryption="aws:kms")}
)
"""The same about encryption."""

BEYOND_THE_ROLE = [
    *_deeds(
        "AddAndRead",
        {
            "put beside the prefix": put("elsewhere/y", **_FULL),
            "put where the prefix goes on": put("p-other/y", **_FULL),
            "read beside the prefix": _object("get_object", BESIDE),
            "read a lock beside the prefix": _version("get_object_retention", BESIDE),
            "read a version beside the prefix": _version("get_object", BESIDE),
        },
    ),
    *_deeds(
        "ListVersions",
        {
            "list versions beside the prefix": _bucket("list_object_versions", Prefix="elsewhere/"),
            "list versions where the prefix goes on": _bucket("list_object_versions", Prefix="p-"),
            "list all versions": _bucket("list_object_versions"),
        },
    ),
    *_deeds("Lock", {"lengthen a lock beside the prefix": _retain(BESIDE, "COMPLIANCE", 400)}),
    *_deeds("LookAtTheBucket", {"ask where the bucket is": _bucket("get_bucket_location")}),
]
"""What the writer's role does not give."""

READS = [
    *_deeds(
        "ReadObjects",
        {
            "read an object": _object("get_object", LOCKED),
            "read a version": _version("get_object", LOCKED),
            "read a lock": _version("get_object_retention", LOCKED),
            "read beside the prefix": _object("get_object", BESIDE),
        },
    ),
    *_deeds("ListVersions", {"list all versions": _bucket("list_object_versions")}),
]
"""What the auditor may."""

WRITES = _deeds(
    "ReadObjects",
    {
        "put": put("p/x"),
        "put with a lock": put("p/x", **_FULL),
        "put over": put(LOCKED, **_FULL),
        "begin an upload in parts": _object("create_multipart_upload", "p/x"),
        "lengthen a lock": _retain(LOCKED, "COMPLIANCE", 400),
    },
)
"""What the auditor may not, besides what the bucket refuses to the writer."""

NOT_ENFORCED = [
    *_deeds(
        "WriterLocksInThisMode",
        {
            "put without a lock": put("p/x"),
            "put with a governance lock": put("p/x", **lock("GOVERNANCE", RETENTION_DAYS)),
        },
    ),
    *_deeds("WriterLocksNoShorter", {"put with a short lock": put("p/x", **lock("COMPLIANCE", 1))}),
    *_deeds(
        "WriterLocksNoLonger",
        {
            "put with a long lock": put("p/x", **lock("COMPLIANCE", 9000)),
            "lengthen a lock by years": _retain(LOCKED, "COMPLIANCE", 9000),
        },
    ),
    *_deeds(
        "WriterAddsAndReadsOnly",
        {
            "put with a legal hold": put("p/x", ObjectLockLegalHoldStatus="ON"),
            "put with tags": put("p/x", Tagging="a=b"),
        },
    ),
    *_deeds("WriterLeavesLocksAlone", {"put with a lock": put("p/x", **_FULL)}),
    _DELETES_PAST,
    *_deeds("NobodyWithoutKms", {"ask for AES256": put("p/x", ServerSideEncryption="AES256")}),
    *_deeds(
        "NobodyWithAnotherKey",
        {"use another key": put("p/x", ServerSideEncryption="aws:kms", SSEKMSKeyId="testkey-1")},
    ),
]
"""What AWS refuses and Ceph 16.2 does: it knows no conditions on locks, asks for no further
permission when an upload carries a lock, a hold or tags, takes Null for "is missing", and does not
ask the bucket's policy about a bypass that the user's own allows."""

MISREAD = [
    *_deeds("WriterOverwritesNothing", {"put once": put("p/x", IfNoneMatch="*", **_FULL)}),
    *_deeds("NobodyWithAKeyOfTheirOwn", {"put": put("p/x", **_FULL)}),
]
"""What AWS does and Ceph 16.2 refuses: it does not know the keys of these conditions, and takes
Null for "is missing", whatever is asked. These statements are left out of the other tests."""
