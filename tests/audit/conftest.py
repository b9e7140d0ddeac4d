"""Fixtures of the tests of the source."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_NOBODY = 65534


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A directory of one's own, and no right to read what is closed to its owner."""
    directory = Path(tempfile.mkdtemp())
    was_root = os.geteuid() == 0
    if was_root:
        os.chown(directory, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
    try:
        yield directory
    finally:
        if was_root:
            os.seteuid(0)
        directory.chmod(0o700)
        shutil.rmtree(directory)
