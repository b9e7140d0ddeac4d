"""One simulated AWS and one Terraform for these tests; both archives are made once."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.deploy.applied import Applied
from tests.deploy.settings import REGION
from tests.deploy.terraform import INIT_SECONDS, Applying, Terraform, prepare


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The address of a simulated AWS on loopback."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def terraform(aws: str, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform, initialised; a skip says why it cannot be."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    ready = prepare(tmp_path_factory.mktemp("terraform"), aws)
    try:
        init = ready.run("init", "-no-color", seconds=INIT_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"terraform init did not get the AWS provider within {INIT_SECONDS} s")
    if init.code and re.search(r"Failed to (query available|install) provider|registry", init.said):
        reason = init.said.partition("Error: ")[2][:300]
        pytest.skip(f"terraform init cannot get the AWS provider: {reason}")
    assert init.code == 0, init.said
    return ready


@pytest.fixture(scope="session")
def applying(terraform: Terraform) -> Iterator[Applying]:
    """An apply that has begun. Tests that need not wait for it ask for it all the same, so that it
    goes on meanwhile."""
    running = Applying(terraform)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def applied(aws: str, terraform: Terraform, applying: Applying) -> Applied:
    """Both archives, made."""
    session = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION
    )
    s3 = session.client("s3", endpoint_url=aws)
    applying.finish(s3)
    outputs = json.loads(terraform.run("output", "-json").output)
    return Applied(
        s3=s3,
        iam=session.client("iam", endpoint_url=aws),
        kms=session.client("kms", endpoint_url=aws),
        outputs={name: output["value"] for name, output in outputs.items()},
    )
