"""The torture run with a directory as the archive."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.daemon import Place
from tests.torture import torture


def test_nothing_is_lost_or_doubled(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """After kill -9 at random moments of writing and rotating the archive is the log."""
    kills = pytestconfig.getoption("--torture-kills")
    seed = random.SystemRandom().randrange(2**32)
    torture(Place(tmp_path), kills=kills, seed=seed, max_bytes="64KiB")
