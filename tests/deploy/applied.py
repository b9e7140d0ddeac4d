"""What Terraform has made on the simulated AWS, read by boto3."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import yaml

from tests.deploy.policies import Statement
from tests.deploy.settings import OBJECT


@dataclass(frozen=True)
class Applied:
    """Clients, and Terraform's outputs."""

    s3: Any
    iam: Any
    kms: Any
    outputs: dict[str, str]

    def config(self, bucket: str) -> str:
        """The `store` section for that archive, as Terraform prints it."""
        return self.outputs["config" if bucket == OBJECT else "other_config"]

    def key_arn(self, bucket: str) -> str:
        """The archive's key."""
        arn: str = yaml.safe_load(self.config(bucket))["store"]["s3"]["sse_kms_key_id"]
        return arn

    def bucket_statements(self, bucket: str) -> list[Statement]:
        """The bucket's policy."""
        return _statements(self.s3.get_bucket_policy(Bucket=bucket)["Policy"])

    def role_statements(self, role: str) -> list[Statement]:
        """What a role may do. It has no other policy."""
        assert self.iam.list_role_policies(RoleName=role)["PolicyNames"] == ["archive"]
        assert self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        answer = self.iam.get_role_policy(RoleName=role, PolicyName="archive")
        return _statements(answer["PolicyDocument"])

    def trust(self, role: str) -> list[Statement]:
        """Who may become it."""
        return _statements(self.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])

    def key_statements(self, bucket: str) -> dict[str, Statement]:
        """The key's policy, by Sid."""
        answer = self.kms.get_key_policy(KeyId=self.key_arn(bucket), PolicyName="default")
        return {statement["Sid"]: statement for statement in _statements(answer["Policy"])}


def _statements(document: Any) -> list[Statement]:
    """boto3 decodes some documents, and leaves others in JSON, or in JSON in a URL's escapes."""
    if isinstance(document, str):
        document = json.loads(unquote(document))
    statements: list[Statement] = document["Statement"]
    return statements
