"""`alerts test` and `check`: does everybody who is to be told answer?"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from tests.daemon import Place
from tests.tell.support import serving


async def call(*arguments: str) -> tuple[int, str]:
    """Exit code and all that was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "shipper",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "no_proxy": "*"},
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


def configured(root: Path, *sections: dict[str, Any]) -> str:
    path = root / "config.yaml"
    path.write_text(Place(root).yaml() + yaml.safe_dump({"alerts": list(sections)}))
    return str(path)


def test_each_receiver_gets_a_sample_that_says_what_it_is(tmp_path: Path) -> None:
    """One line each; 0 if all took it, filters and limits do not count."""

    async def life() -> None:
        async with serving() as server:
            config = configured(
                tmp_path,
                {"type": "webhook", "name": "soc", "url": server.url, "min_severity": "critical"},
                {"type": "falcosidekick", "name": "falco", "url": server.url},
            )
            code, said = await call("alerts", "test", "--config", config)
            assert code == 0
            assert sorted(line[:27] for line in said.splitlines()) == [
                "ok: falco (falcosidekick) t",
                "ok: soc (webhook) took it i",
            ]
            assert len(server.got) == 2
            assert all(b"This is a test" in got.body for got in server.got)

    asyncio.run(life())


def test_what_went_wrong_is_one_line_each(tmp_path: Path) -> None:
    """3 if one did not take it; the others are tried all the same, and secrets are not told."""

    async def life() -> None:
        hook = tmp_path / "hook"
        async with serving(web.Response(status=403, text="invalid_token")) as server:
            hook.write_text(f"{server.url}/services/s3cret")
            config = configured(
                tmp_path,
                {"type": "slack", "name": "chat", "url_file": str(hook)},
                {"type": "pagerduty", "name": "pager", "routing_key_file": "/none"},
            )
            code, said = await call("alerts", "test", "--config", config)
        assert code == 3
        assert "error: chat (slack): HTTP 403 invalid_token" in said
        assert "error: pager (pagerduty): routing_key_file /none cannot be read" in said
        assert "s3cret" not in said

    asyncio.run(life())


def test_one_receiver_alone(tmp_path: Path) -> None:
    """By its name; one that is not there is a mistake."""

    async def life() -> None:
        async with serving() as server:
            config = configured(
                tmp_path,
                {"type": "webhook", "name": "soc", "url": server.url},
                {"type": "webhook", "name": "other", "url": "http://127.0.0.1:9/"},
            )
            code, _ = await call("alerts", "test", "--config", config, "--receiver", "soc")
            assert (code, len(server.got)) == (0, 1)
            code, said = await call("alerts", "test", "--config", config, "--receiver", "sco")
            assert (code, said) == (2, "error: there is no receiver 'sco'; known: soc, other\n")

    asyncio.run(life())


def test_check_reads_the_secrets(tmp_path: Path) -> None:
    """Each file that is missing or holds no key is a problem; nobody is told anything."""
    key = tmp_path / "hmac"
    key.write_text("hunter2")
    config = configured(
        tmp_path,
        {"type": "webhook", "name": "soc", "url": "http://127.0.0.1:9/"},
        {"type": "webhook", "name": "signed", "url": "http://127.0.0.1:9/"}
        | {"hmac_key_file": str(key)},
        {"type": "slack", "name": "chat", "url_file": "/none"},
    )
    code, said = asyncio.run(call("check", "--config", config))
    assert code == 3
    assert "ok: receiver soc" in said
    assert "error: alerts[1]: receiver signed: a line of hmac_key_file is no key" in said
    assert "error: alerts[2]: receiver chat: url_file /none cannot be read" in said
    assert "hunter2" not in said
