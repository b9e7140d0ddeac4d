"""`check` explains everything that is wrong, each with its key, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shipper.cli.main import commands
from shipper.errors import ConfigError, SourceError
from tests.audit.apiserver import ApiServer, serving
from tests.daemon import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def check(place: Place, *options: str, **sections: Any) -> Result:
    page = place.root / "config.yaml"
    page.write_text(place.yaml(**sections))
    return CliRunner().invoke(commands, ["check", "--config", str(page), *options])


def test_what_is_well_is_said(place: Place) -> None:
    """Key, log, rules and store, and the hash that manifests will carry."""
    place.log.write_bytes(b"")
    done = check(place, "--connect", rules={"catalog": "default"})
    assert done.exit_code == 0
    said = [line.split()[0:2] for line in done.stdout.splitlines()]
    assert all(line[0] == "ok:" for line in said)
    assert done.stdout.splitlines()[-1].startswith(f"ok: {place.root}/config.yaml (sha256 ")
    assert " rules (sha256 " in done.stdout


def test_every_problem_is_reported(place: Place) -> None:
    """Key, log, store, receivers and rules are all looked at; the first exit code counts."""
    place.key.chmod(0o644)
    place.log.mkdir()
    rules = place.root / "rules.yaml"
    rules.write_text("nonsense")
    done = check(
        place,
        rules={"catalog": "none", "paths": [str(rules)]},
        store={"url": "s4://nowhere"},
        alerts=[{"type": "slack", "name": "soc", "url_file": "/none/slack"}],
    )
    assert done.exit_code == ConfigError.exit_code
    keys = [line.split(": ")[1] for line in done.stderr.splitlines() if line.startswith("error")]
    assert keys == ["seal.key_file", "source.path", "store", "alerts[0]", "rules"]


def test_the_api_server_is_asked_too(place: Place) -> None:
    """Where it is to be, and only with --connect."""
    place.log.write_bytes(b"")
    with serving(ApiServer()) as server:
        source = {"apiserver_metrics": {"url": server.url}}
        assert check(place, source=source).exit_code == 0
        assert not server.asked
        assert f"ok: {server.url} counts 1,000 events" in (
            check(place, "--connect", source=source).stdout
        )
        server.status = 403
        done = check(place, "--connect", source=source)
    assert done.exit_code == SourceError.exit_code
    assert done.stderr.startswith(
        f"error: source.apiserver_metrics: {server.url}: HTTP 403; it must"
    )


def test_mistakes_in_the_page_are_all_named(place: Place) -> None:
    """With the file, and nothing else is tried."""
    done = check(place, batch={"max_age": 10, "max_bytes": "1KiB"}, nonsense={})
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith(f"{place.root}/config.yaml: there are 3 mistakes:\n")
    assert done.stdout == ""
