"""Terraform in a copy of the module's example that talks to a simulated AWS (moto).

Uses the Terraform configuration of this machine, and whatever place it names for providers.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tests.deploy import policies, settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

INIT_SECONDS = 60
COMMAND_SECONDS = 120

# An override file is merged into what the example says itself.
_PROVIDER = """
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

_IMPORT = """
import {{
  to = module.{module}.aws_s3_bucket_lifecycle_configuration.archive
  id = "{bucket}"
}}
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    output: str

    @property
    def said(self) -> str:
        """The output without frames and line breaks."""
        return plain(self.output)


@dataclass(frozen=True)
class Terraform:
    """Terraform in one directory."""

    directory: Path
    environment: dict[str, str]

    def aside(self) -> Terraform:
        """The same with a state of its own, empty, for while the other one is in use."""
        (self.directory / "terraform.tfstate.d" / "aside").mkdir(parents=True, exist_ok=True)
        return Terraform(self.directory, self.environment | {"TF_WORKSPACE": "aside"})

    def run(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> Ran:
        """`subprocess.TimeoutExpired` if it takes longer."""
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)


class Applying:
    """`terraform apply` in the background, most of which is waiting."""

    def __init__(self, terraform: Terraform) -> None:
        self._log = terraform.directory / "apply.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["terraform", "apply", "-auto-approve", "-no-color"],
                cwd=terraform.directory,
                env=terraform.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def finish(self, s3: S3Client) -> None:
        """Return once everything is there.

        The AWS provider asks for a minute whether a new lifecycle configuration stays as it is,
        since AWS's takes time to settle. moto's does not: Terraform is stopped there, and a later
        plan takes these two resources in by `import_lifecycles`.
        """
        end = time.monotonic() + COMMAND_SECONDS
        while self._process.poll() is None and not (self._all_others() and _have_lifecycles(s3)):
            assert time.monotonic() < end, self.said()
            time.sleep(0.1)
        self.stop()
        assert self._all_others(), self.said()

    def stop(self) -> None:
        """Terraform ends what it is doing and writes its state."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(COMMAND_SECONDS)
        finally:
            self._process.kill()

    def said(self) -> str:
        """On one line."""
        return plain(self._log.read_text(encoding="utf-8"))

    def _all_others(self) -> bool:
        planned = re.search(r"Plan: (\d+) to add", self.said())
        made = self.said().count("Creation complete")
        return planned is not None and made >= int(planned[1]) - len(settings.BUCKETS)


def _have_lifecycles(s3: S3Client) -> bool:
    with contextlib.suppress(ClientError):
        for bucket in settings.BUCKETS:
            s3.get_bucket_lifecycle_configuration(Bucket=bucket)
        return True
    return False


def prepare(directory: Path, url: str) -> Terraform:
    """A copy of the module whose example has both archives on the AWS at `url`; with
    `-var wrong=true` it has one more for each of the settings that are refused."""
    copy = directory / "aws"
    left_out = shutil.ignore_patterns(".terraform*", "*.tfstate*")
    shutil.copytree(policies.MODULE, copy, ignore=left_out)
    example = copy / "examples" / "minimal"
    (example / "moto_override.tf").write_text(_PROVIDER.format(url=url))
    (example / "other.tf").write_text(settings.OTHER)
    (example / "wrong.tf").write_text(settings.wrong())
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_EC2_METADATA_DISABLED": "true",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "400",  # a quarter of the time is garbage collection
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }
    return Terraform(example, environment)


def import_lifecycles(terraform: Terraform) -> None:
    """Let the next plan take in the lifecycle configurations, if an apply was stopped there."""
    blocks = (
        _IMPORT.format(module=module, bucket=bucket) for bucket, module in settings.BUCKETS.items()
    )
    (terraform.directory / "imports.tf").write_text("".join(blocks))


def plain(text: str) -> str:
    """Without frames and line breaks."""
    return " ".join(re.sub(r"[│╷╵]", " ", text).split())
