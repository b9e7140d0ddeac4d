"""README.md: its first commands seal and prove a batch, and its figures are those of the pages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.first_batch import first_commands
from shipper.cli.main import VERBS
from tests.conftest import ROOT

PAGE = (ROOT / "README.md").read_text()


def checkout(root: Path) -> None:
    """What `make run` needs of the repository, with the program installed already."""
    for name in ("Makefile", "pyproject.toml", "tests/data/demo.log.zst"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    for name in ("bench", "config"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".venv" / "bin").mkdir(parents=True)
    for name, command in (("python", ""), ("audit-shipper", "-m shipper")):
        program = root / ".venv" / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
        program.chmod(0o755)
    (root / ".venv" / ".runs").touch()


def test_two_commands_seal_and_prove_a_batch(tmp_path: Path) -> None:
    """All but the installation, which `make first-batch` times."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    checkout(tmp_path)
    commands = first_commands(PAGE)
    assert len(commands) == 2
    done = subprocess.run(
        ["sh", "-eu", "-c", "\n".join(commands)],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "completeness  holds" in done.stdout
    (lines,) = re.findall(r"from 1 to \d+: (\d+) lines", done.stdout)
    assert f"{int(lines):,} real events" in PAGE


def test_every_verb_stands_in_the_table() -> None:
    """In the program's order, and no other."""
    assert tuple(re.findall(r"^\| \[`(\w+)`\]", PAGE, re.MULTILINE)) == VERBS


def test_its_figures_are_those_of_the_page_on_performance() -> None:
    """Each row of the comparison, by the two numbers that it has in common with a row there, and
    what the text says."""
    figures = (ROOT / "docs" / "performance.md").read_text()
    rows = re.findall(r"^\| .*? \| \**(\d+)\** \| \**(\d+) MiB\** \|", PAGE, re.MULTILINE)
    assert len(rows) == 7
    compared = figures.partition("## What others need")[2].partition("\n## ")[0]
    for speed, memory in rows:
        assert re.search(rf"\| \**{speed}\** \| [^|]*\| \**{memory}\** \|", compared), speed
    for figure in ("2.2 %", "3.9 to 5.0 %", "7.3 %", "56,050", "2,171", "387,825", "18 to 72 s"):
        assert figure in PAGE, figure
        assert figure in figures, figure
