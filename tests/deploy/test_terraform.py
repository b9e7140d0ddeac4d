"""deploy/terraform/aws: applied once to a simulated AWS (moto), then looked at by boto3.

moto keeps what it is given and judges no condition of a policy: what the statements refuse on a
real service is for other tests, which take them from `policies.py`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from tests.deploy import policies

REGION = "eu-central-1"
ACCOUNT = "123456789012"
INIT_SECONDS = 60
COMMAND_SECONDS = 120

OBJECT = "example-audit-archive"
"""The bucket of examples/minimal: each upload carries its lock, logs lie below a prefix."""

DEFAULT = "audit-by-default"
"""The other one: the bucket locks what comes, logs lie at its top."""

# An override file is merged into what the example says itself.
PROVIDER = """
provider "aws" {{
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_use_path_style           = true

  endpoints {{
    iam = "{url}"
    kms = "{url}"
    s3  = "{url}"
    sts = "{url}"
  }}
}}
"""

OTHER = """
module "other" {
  source = "../.."

  bucket_name            = "audit-by-default"
  mode                   = "GOVERNANCE"
  retention_days         = 30
  writer_sets_retention  = false
  auditor_principal_arns = ["arn:aws:iam::111122223333:root"]
  kms_admin_arns         = ["arn:aws:iam::123456789012:role/key-keeper"]
  transition_days        = 30
  expire_after_days      = 45
  tags                   = { team = "security" }

  writer_oidc = {
    provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/1"
    subjects     = ["system:serviceaccount:audit:audit-shipper"]
  }
}

output "other_config" {
  value = module.other.config
}

variable "wrong" {
  default = false
}
"""

# Behind a variable, since `validate` would refuse constants already.
WRONG = """
module "{name}" {{
  source = "../.."
  count  = var.wrong ? 1 : 0

  bucket_name            = "audit-{name}"
  writer_principal_arns  = ["arn:aws:iam::111122223333:role/node"]
  auditor_principal_arns = ["arn:aws:iam::111122223333:root"]
{settings}
}}
"""

REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "none": ({"retention_days": "0"}, "retention_days must be a whole number from 1 to 36500"),
    "half": ({"retention_days": "1.5"}, "retention_days must be a whole number from 1 to 36500"),
    "mode": ({"mode": '"compliance"'}, "mode must be COMPLIANCE or GOVERNANCE"),
    "early": (
        {"expire_after_days": "400"},
        "expire_after_days must be more than retention_days",
    ),
    "slash": ({"prefix": '"/k8s"'}, "prefix must be parts of"),
    "star": ({"prefix": '"k*"'}, "prefix must be parts of"),
    "unlocked": (
        {"default_retention": "false", "writer_sets_retention": "false"},
        "nothing would lock what is stored",
    ),
    "frozen": ({"transition_storage_class": '"DEEP_ARCHIVE"'}, "what a verifier can read at once"),
    "anybody": (
        {
            "writer_oidc": '{ provider_arn = "arn:aws:iam::123456789012:oidc-provider/x",'
            ' subjects = ["system:serviceaccount:*"] }'
        },
        "must name at least one subject, without",
    ),
}
"""Settings that are refused, and what is said."""


@dataclass(frozen=True)
class Terraform:
    """Terraform in one directory, initialised."""

    directory: Path
    environment: dict[str, str]

    def run(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> Ran:
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Ran(done.returncode, _plain(done.stdout + done.stderr))


@dataclass(frozen=True)
class Ran:
    """How a command ended; what it said is without frames and line breaks."""

    code: int
    said: str


def _only_if_wrong(settings: dict[str, str]) -> str:
    return "\n".join(f"  {name} = var.wrong ? {value} : null" for name, value in settings.items())


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[│╷╵]", " ", text).split())


@dataclass(frozen=True)
class Applied:
    """What is on the simulated AWS, and Terraform's outputs."""

    s3: Any
    iam: Any
    kms: Any
    outputs: dict[str, str]

    def key_arn(self, bucket: str) -> str:
        config = yaml.safe_load(self.outputs["config" if bucket == OBJECT else "other_config"])
        arn: str = config["store"]["s3"]["sse_kms_key_id"]
        return arn

    def bucket_statements(self, bucket: str) -> list[policies.Statement]:
        return _statements(json.loads(self.s3.get_bucket_policy(Bucket=bucket)["Policy"]))

    def role_statements(self, role: str) -> list[policies.Statement]:
        answer = self.iam.get_role_policy(RoleName=role, PolicyName="archive")
        return _statements(_document(answer["PolicyDocument"]))

    def trust(self, role: str) -> list[policies.Statement]:
        return _statements(
            _document(self.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
        )

    def key_statements(self, bucket: str) -> list[policies.Statement]:
        answer = self.kms.get_key_policy(KeyId=self.key_arn(bucket), PolicyName="default")
        return _statements(json.loads(answer["Policy"]))


def _document(value: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(unquote(value)) if isinstance(value, str) else value
    return document


def _statements(document: dict[str, Any]) -> list[policies.Statement]:
    statements: list[policies.Statement] = document["Statement"]
    return statements


def _by_sid(statements: list[policies.Statement]) -> dict[str, policies.Statement]:
    return {statement["Sid"]: statement for statement in statements}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The address of a simulated AWS on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def terraform(moto: str, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform in a copy of examples/minimal that talks to moto."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    copy = tmp_path_factory.mktemp("terraform") / "aws"
    shutil.copytree(
        policies.MODULE, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*")
    )
    directory = copy / "examples" / "minimal"
    (directory / "moto_override.tf").write_text(PROVIDER.format(url=moto))
    (directory / "other.tf").write_text(OTHER)
    (directory / "wrong.tf").write_text(
        "".join(
            WRONG.format(name=name, settings=_only_if_wrong(settings))
            for name, (settings, _) in REFUSED.items()
        )
    )
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }
    ready = Terraform(directory, environment)
    try:
        init = ready.run("init", "-no-color", seconds=INIT_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"terraform init did not get the AWS provider within {INIT_SECONDS} s")
    if init.code and re.search(r"Failed to (query available|install) provider|registry", init.said):
        pytest.skip(f"terraform init cannot get the AWS provider: {init.said[:300]}")
    assert init.code == 0, init.said
    return ready


@pytest.fixture(scope="module")
def applied(moto: str, terraform: Terraform) -> Applied:
    """Both archives, made."""
    apply = terraform.run("apply", "-auto-approve", "-no-color")
    assert apply.code == 0, apply.said
    outputs = json.loads(terraform.run("output", "-json").said)
    session = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
    )
    return Applied(
        s3=session.client("s3", endpoint_url=moto),
        iam=session.client("iam", endpoint_url=moto),
        kms=session.client("kms", endpoint_url=moto),
        outputs={name: output["value"] for name, output in outputs.items()},
    )


def test_the_files_are_formatted() -> None:
    """`terraform fmt` has nothing to change."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-recursive", "-diff", str(policies.MODULE)],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_valid(terraform: Terraform) -> None:
    """`terraform validate` finds no fault and nothing deprecated."""
    done = terraform.run("validate", "-no-color")
    assert "Success! The configuration is valid." in done.said
