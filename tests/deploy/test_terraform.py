"""deploy/terraform/aws, as Terraform sees it: formatted, valid, whole, and picky.

What is then on AWS is looked at in `test_what_is_made`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter

import pytest

from tests.deploy import policies
from tests.deploy.applied import Applied
from tests.deploy.settings import BUCKETS, REFUSED
from tests.deploy.terraform import COMMAND_SECONDS, Applying, Terraform, import_lifecycles


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


def test_the_example_is_valid(terraform: Terraform, applying: Applying) -> None:
    """`terraform validate` finds no fault and nothing deprecated."""
    done = terraform.run("validate", "-no-color")
    assert "Success! The configuration is valid." in done.said


def test_wrong_settings_are_refused(terraform: Terraform, applying: Applying) -> None:
    """Each with a message of its own, before anything is made."""
    done = terraform.aside().run("plan", "-no-color", "-var", "wrong=true")
    assert done.code == 1
    messages = [
        wrong.says for settings in REFUSED.values() for wrong in settings.values() if wrong.says
    ]
    for message, times in Counter(messages).items():
        assert done.said.count(message) == times, message
    assert done.said.count("Error: ") == len(messages)


def test_a_second_plan_changes_nothing(terraform: Terraform, applied: Applied) -> None:
    """What was made is what is asked for, in every detail; moto adds no change of its own."""
    import_lifecycles(terraform)
    done = terraform.run("plan", "-no-color")
    assert done.code == 0, done.said
    planned = re.search(
        r"No changes|Plan: (\d+ to import, )?0 to add, 0 to change, 0 to destroy", done.said
    )
    assert planned is not None, done.said


def test_the_archive_is_not_destroyed(terraform: Terraform, applied: Applied) -> None:
    """Neither the bucket nor the key goes with `terraform destroy`."""
    done = terraform.run("plan", "-no-color", "-destroy", "-refresh=false")
    assert done.code == 1
    for module in BUCKETS.values():
        for resource in ("aws_s3_bucket", "aws_kms_key"):
            address = f"module.{module}.{resource}.archive"
            assert f"{address} has lifecycle.prevent_destroy set" in done.said
