"""`config`: the page as it is understood, without secrets, and its schema with explanations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from shipper import config
from shipper.cli.main import commands
from tests.daemon import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def show(place: Place, **sections: Any) -> str:
    page = place.root / "config.yaml"
    page.write_text(place.yaml(**sections))
    done = CliRunner().invoke(commands, ["config", "show", "--config", str(page)])
    assert done.exit_code == 0
    return done.stdout


def test_the_page_is_shown_with_its_defaults(place: Place) -> None:
    """It is a configuration again, and bears the hash that manifests carry."""
    shown = show(place)
    assert shown.startswith(f"# sha256 {config.digest(place.config())}\n")
    assert config.parse(shown, {}) == place.config()
    assert "max_bytes: 8MiB" in shown


def test_secrets_are_masked(place: Place) -> None:
    """A receiver's URL may be one; names of files are none."""
    url = "https://hooks.example.com/services/T0/hunter2"
    receiver = {"type": "webhook", "name": "soc", "url": url, "token_file": "/run/token"}
    shown = show(place, alerts=[receiver])
    assert "hunter2" not in shown
    (one,) = yaml.safe_load(shown)["alerts"]
    assert (one["url"], one["token_file"]) == ("***", "/run/token")
    assert yaml.safe_load(shown)["store"]["url"] == place.url


def test_every_key_is_explained_in_the_schema() -> None:
    """For editors: each key of each section has a text, be it the section's own."""
    done = CliRunner().invoke(commands, ["config", "schema"])
    sections = json.loads(done.stdout)["$defs"]
    for name, section in sections.items():
        for key, body in section["properties"].items():
            assert "description" in body or "$ref" in body or key == "type", f"{name}.{key}"
    assert "what a node's loss can cost" in str(sections["BatchLimits"]["properties"]["max_age"])
    assert "a night" in str(sections["Slack"]["properties"]["give_up_after"])
