"""A page as a script: its `sh` blocks in order, and what the `text` blocks say that each prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

_FENCED = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK = "\x1e"


class Step(NamedTuple):
    """A block of commands, and what the page shows of their output; empty if nothing."""

    commands: str
    shown: str


def steps(page: str) -> list[Step]:
    """Each `sh` block with the `text` block that comes next before another one."""
    found: list[Step] = []
    for language, body in _FENCED.findall(page):
        if language == "sh":
            found.append(Step(body, ""))
        elif found and not found[-1].shown:
            found[-1] = found[-1]._replace(shown=body)
    return found


def run(commands: list[str], directory: Path) -> list[str]:
    """Run the blocks in one shell and return what each of them printed; none may fail."""
    (directory / "bin").mkdir()
    program = directory / "bin" / "audit-shipper"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m shipper "$@"\n')
    program.chmod(0o755)
    script = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"
    script += f"printf '{_MARK}'\n".join(f"{block}\n" for block in commands)
    path = f"{directory}/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        cwd=directory,
        env={"PATH": path, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    printed = done.stdout.split(_MARK)
    assert done.returncode == 0, f"{commands[len(printed) - 1]}\n{printed[-1]}\n{done.stderr}"
    return printed


def missing(shown: str, printed: str) -> list[str]:
    """The shown lines that the output does not have, in this order; `…` stands for anything."""
    at, absent, lines = 0, [], printed.splitlines()
    for line in shown.splitlines():
        if line == "…":
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
        place = next((n for n in range(at, len(lines)) if pattern.fullmatch(lines[n])), None)
        if place is None:
            absent.append(line)
        else:
            at = place + 1
    return absent
