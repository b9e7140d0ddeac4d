"""docs/quickstart.md is run from top to bottom, and prints what it says that it prints."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.script import missing, run, steps

PAGE = (ROOT / "docs" / "quickstart.md").read_text()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_every_step_does_what_the_page_shows(tmp_path: Path) -> None:
    """All but the installation (`make first-batch` times that), on ports that are free here."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    install, *tour = steps(PAGE)
    assert "pip install ." in install.commands
    commands = [step.commands for step in tour]
    for port in ("8080", "9465"):
        free = str(free_port())
        commands = [text.replace(port, free) for text in commands]
    (tmp_path / "try").mkdir()
    printed = run(commands, tmp_path / "try")
    absent = [
        missing(step.shown, text) for step, text in zip(tour, printed, strict=True) if step.shown
    ]
    assert absent == [[]] * len(absent), printed
    assert len(absent) >= 10
