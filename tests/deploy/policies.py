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


def document(statements: list[Statement]) -> str:
    """A policy with these statements, JSON."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def actions(statements: list[Statement]) -> set[str]:
    """All actions that the statements name."""
    return {action for statement in statements for action in _listed(statement["Action"])}


def _naming_principal(statement: Statement) -> Statement:
    conditions = dict(statement.get("Condition", {}))
    principal = conditions.pop("ArnEquals", {}).get("aws:PrincipalArn")
    if principal is None:
        return statement
    named = {**statement, "Principal": {"AWS": principal}, "Condition": conditions}
    return {key: value for key, value in named.items() if key != "Condition" or value}


def _render(name: str, **values: str) -> dict[str, list[Statement]]:
    # templatefile() and string.Template agree on ${name} and on $$.
    text = (MODULE / "policies" / f"{name}.json.tftpl").read_text(encoding="utf-8")
    groups: dict[str, list[Statement]] = json.loads(Template(text).substitute(values))
    return groups


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"
