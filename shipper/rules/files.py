"""Finds and reads rule files. Bounded: a file that is longer than any set of rules is refused.

Says what is wrong as problems; raises nothing.
"""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from shipper.rules.document import Document, Problem, read

MAX_FILE_BYTES = 32 * 2**20
"""Of one rule file: ten thousand rules with their tests fit."""


def rule_files(path: Path) -> tuple[list[Path], list[Problem]]:
    """`path` itself, or if it is a directory every *.yaml and *.yml that stands right in it."""
    if not os.path.isdir(path):
        return [path], []
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        return [], [Problem(str(path), 0, f"cannot be read: {error.strerror}")]
    return [
        path / name
        for name in names
        if name.endswith((".yaml", ".yml")) and not name.startswith(".")
    ], []


def read_file(path: Path, name: str) -> tuple[list[Document], list[Problem]]:
    """The documents in the file, which is called `name` in messages."""
    text, problems = read_text(path, name)
    return ([], problems) if problems else read(text, name)


def read_text(path: Path | None, name: str) -> tuple[str, list[Problem]]:
    """The text of the file, or of standard input where `path` is None."""
    try:
        with path.open("rb") if path else nullcontext(sys.stdin.buffer) as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            return "", [Problem(name, 0, f"longer than {MAX_FILE_BYTES >> 20} MiB")]
        return data.decode("utf-8"), []
    except OSError as error:
        return "", [Problem(name, 0, f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return "", [Problem(name, data.count(b"\n", 0, error.start) + 1, "not UTF-8")]
    except ValueError as error:
        return "", [Problem(name, 0, f"cannot be read: {error}")]
