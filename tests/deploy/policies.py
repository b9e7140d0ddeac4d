"""The Terraform module's policies as data, for tests that try them on other S3 services.

Renders the module's own templates; `test_terraform.py` holds the result to what Terraform applies.
"""

from __future__ import annotations

import json
from string import Template
from typing import Any

from tests.conftest import ROOT

MODULE = ROOT / "deploy" / "terraform" / "aws"

Statement = dict[str, Any]

# fmt: off
S3_ACTIONS = (
    "AbortMultipartUpload", "BypassGovernanceRetention", "CreateBucket", "DeleteBucket",
    "DeleteBucketPolicy", "DeleteBucketWebsite", "DeleteObject", "DeleteObjectTagging",
    "DeleteObjectVersion", "DeleteObjectVersionTagging", "GetAccelerateConfiguration",
    "GetBucketAcl", "GetBucketCORS", "GetBucketLocation", "GetBucketLogging",
    "GetBucketNotification", "GetBucketObjectLockConfiguration", "GetBucketPolicy",
    "GetBucketPublicAccessBlock", "GetBucketRequestPayment", "GetBucketTagging",
    "GetBucketVersioning", "GetBucketWebsite", "GetLifecycleConfiguration", "GetObject",
    "GetObjectAcl", "GetObjectLegalHold", "GetObjectRetention", "GetObjectTagging",
    "GetObjectVersion", "GetObjectVersionAcl", "GetObjectVersionTagging",
    "GetReplicationConfiguration", "ListBucket", "ListBucketMultipartUploads",
    "ListBucketVersions", "ListMultipartUploadParts", "PutAccelerateConfiguration",
    "PutBucketAcl", "PutBucketCORS", "PutBucketLogging", "PutBucketNotification",
    "PutBucketObjectLockConfiguration", "PutBucketPolicy", "PutBucketPublicAccessBlock",
    "PutBucketRequestPayment", "PutBucketTagging", "PutBucketVersioning", "PutBucketWebsite",
    "PutLifecycleConfiguration", "PutObject", "PutObjectAcl", "PutObjectLegalHold",
    "PutObjectRetention", "PutObjectTagging", "PutObjectVersionAcl", "PutObjectVersionTagging",
    "PutReplicationConfiguration", "RestoreObject",
)
# fmt: on
"""The actions on buckets and objects that S3 services besides AWS know."""


def writer_statements(
    bucket: str,
    prefix: str,
    *,
    sets_retention: bool,
    kms_key_arn: str = "",
    kms_via_service: str = "",
) -> list[Statement]:
    """What the writer may do. `prefix` as in the module: without slashes around it.

    Without `kms_key_arn` the statements about encryption are left out.
    """
    groups = _render(
        "writer",
        bucket_arn=_arn(bucket),
        kms_key_arn=kms_key_arn,
        kms_via_service=kms_via_service,
        prefix=f"{prefix}/" if prefix else "",
    )
    return (
        groups["always"]
        + (groups["when_prefix"] if prefix else groups["when_whole_bucket"])
        + (groups["when_writer_sets_retention"] if sets_retention else [])
        + (groups["encryption"] if kms_key_arn else [])
    )


def auditor_statements(
    bucket: str, *, kms_key_arn: str = "", kms_via_service: str = ""
) -> list[Statement]:
    """What the auditor may do: read, in the whole bucket."""
    groups = _render(
        "auditor",
        bucket_arn=_arn(bucket),
        kms_key_arn=kms_key_arn,
        kms_via_service=kms_via_service,
    )
    return groups["always"] + (groups["encryption"] if kms_key_arn else [])


def bucket_denies(
    bucket: str,
    *,
    writer_arn: str,
    sets_retention: bool,
    mode: str = "COMPLIANCE",
    retention_days: int = 400,
    kms_key_arn: str = "",
) -> list[Statement]:
    """What the bucket refuses, whatever its callers may do elsewhere."""
    groups = _render(
        "bucket",
        bucket_arn=_arn(bucket),
        kms_key_arn=kms_key_arn,
        max_days=str(retention_days + 1),
        min_days=str(retention_days - 1),
        mode=mode,
        writer_arn=writer_arn,
    )
    locks = "when_writer_sets_retention" if sets_retention else "when_bucket_sets_retention"
    return groups["always"] + (groups["encryption"] if kms_key_arn else []) + groups[locks]


def naming_principals(statements: list[Statement]) -> list[Statement]:
    """The same for services that do not know `aws:PrincipalArn` (Ceph): the principal by name."""
    return [_naming_principal(statement) for statement in statements]


def spelling_out_actions(statements: list[Statement]) -> list[Statement]:
    """The same for services that pass over NotAction (Ceph): all other actions by name."""
    return [_spelling_out_actions(statement) for statement in statements]


def document(statements: list[Statement]) -> str:
    """A policy with these statements, JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def actions(statements: list[Statement]) -> set[str]:
    """All actions that the statements allow or deny by name."""
    return {action for statement in statements for action in _listed(statement.get("Action", []))}


def _naming_principal(statement: Statement) -> Statement:
    conditions = dict(statement.get("Condition", {}))
    principal = conditions.pop("ArnEquals", {}).get("aws:PrincipalArn")
    if principal is None:
        return statement
    named = {**statement, "Principal": {"AWS": principal}, "Condition": conditions}
    return {key: value for key, value in named.items() if key != "Condition" or value}


def _spelling_out_actions(statement: Statement) -> Statement:
    if "NotAction" not in statement:
        return statement
    others = [
        f"s3:{action}" for action in S3_ACTIONS if f"s3:{action}" not in statement["NotAction"]
    ]
    named = {key: value for key, value in statement.items() if key != "NotAction"}
    return named | {"Action": others}


def _render(name: str, **values: str) -> dict[str, list[Statement]]:
    # templatefile() and string.Template agree on ${name} and on $$.
    text = (MODULE / "policies" / f"{name}.json.tftpl").read_text(encoding="utf-8")
    groups: dict[str, list[Statement]] = json.loads(Template(text).substitute(values))
    return groups


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"
