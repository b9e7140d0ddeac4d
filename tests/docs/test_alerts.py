"""`docs/alerts.md` cannot lie: its examples are configurations, its ways to verify do verify."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipper import config
from shipper.tell.receivers.webhook import render
from shipper.tell.request import Request
from tests.conftest import ROOT
from tests.tell.support import LEAST, message, receiver

PAGE = (ROOT / "docs" / "alerts.md").read_text()
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # noqa: S105 the tests' own


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def signed(*, ago: timedelta = timedelta()) -> Request:
    return render(message(), receiver("webhook"), datetime.now(UTC) - ago, {"hmac_key": SECRET})


def test_every_example_is_a_configuration() -> None:
    """As it stands; together they show every type of receiver."""
    examples = [block for block in blocks("yaml") if block.startswith("alerts:")]
    loaded = [config.parse(LEAST + example, {}).alerts for example in examples]
    types = {type(one) for receivers in loaded for one in receivers}
    sections = config.schema()["$defs"]["Config"]["properties"]["alerts"]["items"]["anyOf"]
    assert len(types) == len(sections)
    assert all(yaml.safe_load(block) for block in blocks("yaml"))


def test_the_ten_lines_of_python_verify() -> None:
    """What is genuine and young, and nothing else."""
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line]) <= 10
    scope: dict[str, Any] = {}
    exec(code, scope)  # noqa: S102 the page's own code is what is tested
    genuine: Callable[[dict[str, str], bytes, str], bool] = scope["genuine"]
    request = signed()
    assert genuine(request.headers, request.body, SECRET)
    assert not genuine(request.headers, request.body + b" ", SECRET)
    assert not genuine(request.headers, request.body, SECRET.replace("MDEy", "MDEz"))
    assert not genuine(request.headers | {"webhook-id": "msg_0"}, request.body, SECRET)
    old = signed(ago=timedelta(minutes=6))
    assert not genuine(old.headers, old.body, SECRET)


def test_openssl_verifies(tmp_path: Path) -> None:
    """The same with tools that everybody has."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    (script,) = blocks("sh")
    request = signed()
    (tmp_path / "key").write_text(SECRET + "\n")

    def says(body: bytes) -> str:
        (tmp_path / "body").write_bytes(body)
        headers = {
            "id": request.headers["webhook-id"],
            "moment": request.headers["webhook-timestamp"],
            "signature": request.headers["webhook-signature"],
        }
        done = subprocess.run(
            ["sh", "-c", script],
            check=False,
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", **headers},
            capture_output=True,
            text=True,
        )
        assert done.stderr == ""
        return done.stdout.strip()

    assert says(request.body) == "genuine"
    assert says(request.body + b" ") == ""


def test_the_page_names_the_limits_in_force() -> None:
    """Numbers in the text are those of the program."""
    from shipper.tell import alert, answer, dead, group, outbox, teller
    from shipper.tell.limit import HELD_BACK
    from shipper.tell.receivers import slack, webhook

    assert f"{alert.MOST_PER_RECORD:,} alerts in one record" in PAGE
    assert f"up to {answer.MOST_WAIT_SECONDS / 60:.0f} minutes" in PAGE
    assert f"the last {dead.MOST_LETTERS:,}" in PAGE
    assert dead.DEAD_LETTERS in PAGE
    assert f"at most {group.MOST_TOGETHER}" in PAGE
    assert f"{outbox.MOST_BYTES >> 20} MiB" in PAGE
    assert (teller.FEWEST_TRIES, slack.SHOWN) == (5, 5)
    assert HELD_BACK in PAGE
    assert webhook.EVENT_TYPE in PAGE
