"""What deploy/terraform/aws makes, looked at by boto3 on a simulated AWS (moto).

moto keeps what it is given and judges no condition of a policy: what the statements refuse on a
real service is for tests/s3/test_least_privilege.py, which takes the same ones from `policies`.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from shipper import config
from shipper.config import S3Options, StoreOptions, parse_duration
from shipper.store.open import open_store
from tests.deploy import policies
from tests.deploy.applied import Applied
from tests.deploy.settings import ACCOUNT, BUCKETS, DEFAULT, OBJECT, REGION

VIA_S3 = f"s3.{REGION}.amazonaws.com"
PREFIX = {OBJECT: "k8s", DEFAULT: ""}
MODE = {OBJECT: "COMPLIANCE", DEFAULT: "GOVERNANCE"}
DAYS = {OBJECT: 400, DEFAULT: 30}
SETS_RETENTION = {OBJECT: True, DEFAULT: False}
ROOT = f"arn:aws:iam::{ACCOUNT}:root"

each_bucket = pytest.mark.parametrize("bucket", BUCKETS)


def _role_arn(bucket: str, role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{bucket}-{role}"


@each_bucket
def test_the_bucket_locks(applied: Applied, bucket: str) -> None:
    """Versions are kept, Object Lock is on, and what comes without a lock gets one."""
    assert applied.s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    lock = applied.s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert lock["ObjectLockEnabled"] == "Enabled"
    retention = lock["Rule"]["DefaultRetention"]
    assert (retention["Mode"], retention["Days"]) == (MODE[bucket], DAYS[bucket])
    assert not retention.get("Years")


@each_bucket
def test_the_bucket_encrypts(applied: Applied, bucket: str) -> None:
    """With the archive's own key, one call to KMS for many objects."""
    answer = applied.s3.get_bucket_encryption(Bucket=bucket)
    (rule,) = answer["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": applied.key_arn(bucket),
    }
    assert rule["BucketKeyEnabled"] is True


@each_bucket
def test_nothing_is_public(applied: Applied, bucket: str) -> None:
    """All public access is blocked, and ACLs have no say."""
    block = applied.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    answer = applied.s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert answer["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def _rules(applied: Applied, bucket: str) -> dict[str, dict[str, Any]]:
    rules = applied.s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert all(not rule.get("Filter", {}).get("Prefix") for rule in rules)
    return {rule["ID"]: rule for rule in rules}


def test_nothing_expires_unless_it_is_asked_for(applied: Applied) -> None:
    """By default only the parts of unfinished uploads go."""
    rules = _rules(applied, OBJECT)
    assert set(rules) == {"abort-incomplete-uploads"}
    assert rules["abort-incomplete-uploads"]["AbortIncompleteMultipartUpload"] == {
        "DaysAfterInitiation": 7
    }


def test_what_expires_was_kept_long_enough(applied: Applied) -> None:
    """A version that nobody hides, and one that is hidden once its lock has ended, stay for
    expire_after_days; no storage class is one that a verifier cannot read at once."""
    rules = _rules(applied, DEFAULT)
    assert set(rules) == {
        "abort-incomplete-uploads", "expire", "remove-markers-that-hide-nothing", "transition",
    }  # fmt: skip
    assert rules["expire"]["Expiration"]["Days"] == 45
    hidden_days = rules["expire"]["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert DAYS[DEFAULT] + hidden_days == 45
    markers = rules["remove-markers-that-hide-nothing"]["Expiration"]
    assert markers == {"ExpiredObjectDeleteMarker": True}
    (transition,) = rules["transition"]["Transitions"]
    assert transition == {"Days": 30, "StorageClass": "GLACIER_IR"}


@each_bucket
def test_the_bucket_policy(applied: Applied, bucket: str) -> None:
    """Its statements are those that the other tests try, and it allows nothing."""
    statements = applied.bucket_statements(bucket)
    assert statements == policies.bucket_denies(
        bucket,
        writer_arn=_role_arn(bucket, "writer"),
        sets_retention=SETS_RETENTION[bucket],
        mode=MODE[bucket],
        retention_days=DAYS[bucket],
        kms_key_arn=applied.key_arn(bucket),
    )
    assert {statement["Effect"] for statement in statements} == {"Deny"}


@each_bucket
def test_the_roles(applied: Applied, bucket: str) -> None:
    """Their statements are those that the other tests try."""
    key = {"kms_key_arn": applied.key_arn(bucket), "kms_via_service": VIA_S3}
    assert applied.role_statements(f"{bucket}-writer") == policies.writer_statements(
        bucket, PREFIX[bucket], sets_retention=SETS_RETENTION[bucket], **key
    )
    assert applied.role_statements(f"{bucket}-auditor") == policies.auditor_statements(
        bucket, **key
    )


def test_the_bucket_lets_the_writer_do_its_work(applied: Applied) -> None:
    """What the bucket does not refuse to the writer is what the role allows."""
    denies = {s["Sid"]: s for s in applied.bucket_statements(OBJECT)}
    allowed = policies.actions(applied.role_statements(f"{OBJECT}-writer"))
    left = denies["WriterAddsAndReadsOnly"]["NotAction"]
    assert sorted(left) == sorted(action for action in allowed if action.startswith("s3:"))


def test_the_role_arns(applied: Applied) -> None:
    """The outputs are the roles that the policies name."""
    for role in ("writer", "auditor"):
        made = applied.iam.get_role(RoleName=f"{OBJECT}-{role}")["Role"]["Arn"]
        assert made == applied.outputs[f"{role}_role_arn"] == _role_arn(OBJECT, role)


def test_who_may_become_the_writer(applied: Applied) -> None:
    """The principals that are named, or the service accounts that are, for the named audience."""
    assert applied.trust(f"{OBJECT}-writer") == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::111122223333:role/control-plane-node"]},
            "Action": "sts:AssumeRole",
        }
    ]
    issuer = "oidc.example.com/id/1"
    assert applied.trust(f"{DEFAULT}-writer") == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    f"{issuer}:aud": "sts.amazonaws.com",
                    f"{issuer}:sub": ["system:serviceaccount:audit:audit-shipper"],
                }
            },
        }
    ]


def test_who_may_become_the_auditor(applied: Applied) -> None:
    """The principals that are named, and the writer is not among them."""
    (trust,) = applied.trust(f"{OBJECT}-auditor")
    assert trust == {
        "Effect": "Allow",
        "Principal": {"AWS": ["arn:aws:iam::111122223333:role/security-audit"]},
        "Action": "sts:AssumeRole",
    }


@each_bucket
def test_the_key_does_its_work_for_the_archive_alone(applied: Applied, bucket: str) -> None:
    """The writer and the auditor use it through S3; its administrators do not use it at all."""
    statements = applied.key_statements(bucket)
    for sid, role, uses in (
        ("WriterEncrypts", "writer", ["kms:Decrypt", "kms:GenerateDataKey"]),
        ("AuditorDecrypts", "auditor", ["kms:Decrypt"]),
    ):
        assert statements[sid] == {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"AWS": ROOT},
            "Action": uses,
            "Resource": "*",
            "Condition": {
                "ArnEquals": {"aws:PrincipalArn": _role_arn(bucket, role)},
                "StringEquals": {"kms:ViaService": VIA_S3},
            },
        }
    key_keeper = f"arn:aws:iam::{ACCOUNT}:role/key-keeper"
    assert statements["Administer"]["Principal"] == {
        "AWS": [ROOT] if bucket == OBJECT else [key_keeper]
    }
    administration = policies.actions([statements["Administer"], statements["RootUserRecovers"]])
    used = ("Decrypt", "Encrypt", "Generate", "ReEncrypt", "CreateGrant", "Schedule", "DisableKey")
    assert [one for one in administration if one.partition(":")[2].startswith(used)] == []


@each_bucket
def test_the_key_is_not_destroyed(applied: Applied, bucket: str) -> None:
    """Nobody may delete or disable it; it is replaced inside year by year."""
    assert applied.key_statements(bucket)["NobodyDestroysTheKey"] == {
        "Sid": "NobodyDestroysTheKey",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": ["kms:DisableKey", "kms:ScheduleKeyDeletion"],
        "Resource": "*",
    }
    rotation = applied.kms.get_key_rotation_status(KeyId=applied.key_arn(bucket))
    assert rotation["KeyRotationEnabled"] is True


def test_the_tags(applied: Applied) -> None:
    """They are on the bucket, the key and both roles."""
    tags = [{"Key": "team", "Value": "security"}]
    key = applied.kms.list_resource_tags(KeyId=applied.key_arn(DEFAULT))["Tags"]
    assert [{"Key": one["TagKey"], "Value": one["TagValue"]} for one in key] == tags
    assert applied.s3.get_bucket_tagging(Bucket=DEFAULT)["TagSet"] == tags
    for role in ("writer", "auditor"):
        assert applied.iam.list_role_tags(RoleName=f"{DEFAULT}-{role}")["Tags"] == tags


def _options(applied: Applied, bucket: str) -> StoreOptions:
    """What audit-shipper understands of the output, with the other required keys."""
    page = yaml.safe_load(applied.config(bucket)) | {
        "source": {"path": "/var/log/audit.log"},
        "seal": {"key_file": "/etc/key.pem"},
    }
    return config.parse(yaml.safe_dump(page), {}).store


@each_bucket
def test_the_configuration(applied: Applied, bucket: str) -> None:
    """The output is the `store` section for what was made, and a store can be opened with it."""
    options = _options(applied, bucket)
    assert options == StoreOptions(
        url=f"s3://{bucket}/{PREFIX[bucket]}".rstrip("/"),
        retention=parse_duration(f"{DAYS[bucket]}d"),
        mode="COMPLIANCE" if bucket == OBJECT else "GOVERNANCE",
        lock="object" if SETS_RETENTION[bucket] else "bucket-default",
        s3=S3Options(
            region=REGION,
            sse="aws:kms",
            sse_kms_key_id=applied.key_arn(bucket),
            bucket_owner=ACCOUNT,
        ),
    )
    assert open_store(options).url == options.url
