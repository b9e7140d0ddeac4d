"""Store URLs."""

from __future__ import annotations

import pytest

from shipper.errors import ConfigError
from shipper.store.open import open_store


def test_a_file_url_is_a_directory() -> None:
    """Percent escapes are undone, so that any path can be named."""
    assert open_store("file:///srv/my%20archive").url == "file:///srv/my archive"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv",
        "file:srv",
        "file://host/srv",
        "s4://bucket",
        "file:///a?b",
        "http://[",
        "file:///%00",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    """A malformed URL is one clear line that says what a good one looks like."""
    with pytest.raises(ConfigError, match=r"give file:///absolute/path"):
        open_store(url)
