"""What all tests of alerts share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers on loopback are reached directly, whatever this machine's environment says."""
    monkeypatch.setenv("no_proxy", "*")
