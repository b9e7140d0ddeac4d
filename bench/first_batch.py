"""How long a newcomer takes to a first sealed, verified batch: the README's first commands, run.

In a copy of the repository's files, without a virtual environment and without pip's cache. The
commands are those of the README's first `sh` block: what is counted is what is written. What a
download takes depends on the line to the package index; reading the README is not counted.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.bench import Bench
from bench.process import ProgramFailedError
from bench.table import Row, known, under

_ROOT = Path(__file__).parent.parent
_TARGET_SECONDS = 300


def rows(bench: Bench) -> Iterator[Row]:
    """The table's rows."""
    copy = bench.directory / "first-batch"
    _copy(copy)
    total = 0.0
    for command in first_commands((copy / "README.md").read_text()):
        bench.say(command)
        seconds = _run(command, copy)
        total += seconds
        yield known(f"first batch, {' '.join(command.split()[:2])}", seconds, "s", digits=1)
    yield under("first sealed, verified batch, from nothing", total, _TARGET_SECONDS, "s", digits=1)
    shutil.rmtree(copy)


def first_commands(readme: str) -> list[str]:
    """The lines of the first `sh` block, without their comments."""
    block = re.search(r"^```sh\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    if block is None:
        raise ProgramFailedError("README.md has no block of commands")
    return [re.sub(r"\s+#.*", "", line) for line in block[1].splitlines() if line]


def _copy(target: Path) -> None:
    """What git knows of the repository, as it stands in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=_ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        raise ProgramFailedError(f"{_ROOT} is no git checkout: {listed.stderr.decode().strip()}")
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (_ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(_ROOT / name, target / name)


def _run(command: str, directory: Path) -> float:
    """Seconds; the command must end well."""
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    began = time.perf_counter()
    done = subprocess.run(
        ["sh", "-eu", "-c", command],
        cwd=directory,
        env=environment | {"PIP_NO_CACHE_DIR": "1", "PYTHON": _python()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-2000:]
        raise ProgramFailedError(f"{command}\nended with {done.returncode}:\n{said}")
    return time.perf_counter() - began


def _python() -> str:
    """The interpreter that this one's virtual environment was made with: what `make` shall take."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
