"""What all tests share: where the recordings lie, and how long the torture may last."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
DATA = ROOT / "tests" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--torture-kills",
        type=int,
        default=8,
        help="how many times the torture test kills the daemon",
    )


@pytest.fixture
def shared() -> Path:
    """The project's shared recordings; a user's clone does not have them."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared, the project's recordings, which a clone does not have")
    return SHARED


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents of the tests' own policy language (tests/rules/dialects/tiny.py) are read."""
    from shipper.rules.dialects import registry
    from tests.rules.dialects.tiny import TINY

    monkeypatch.setattr(registry, "ADMISSION", (*registry.ADMISSION, TINY))
