"""Store URLs."""

from __future__ import annotations

import pytest

from shipper.config import StoreOptions
from shipper.errors import ConfigError
from shipper.store.open import open_store


def test_a_file_url_is_a_directory() -> None:
    """Percent escapes are undone, so that any path can be named."""
    assert open_store(StoreOptions(url="file:///srv/my%20archive")).url == "file:///srv/my archive"


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
        "s3://",
        "s3://UPPER/x",
        "s3://b",
        "s3://bucket?versionId=1",
        "s3://key:secret@bucket/x",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    """A malformed URL is one clear line that says what a good one looks like."""
    with pytest.raises(ConfigError, match=r"or file:///absolute/path"):
        open_store(StoreOptions(url=url))


@pytest.mark.parametrize("prefix", ["a//b", "a/../b", "a b", "ü", "./a", "a/%2e"])
def test_a_prefix_that_tools_would_rewrite_is_refused(prefix: str) -> None:
    """Escapes and dots mean other things to other tools: the error says which characters do."""
    with pytest.raises(ConfigError, match="use letters, digits"):
        open_store(StoreOptions(url=f"s3://bucket/{prefix}"))


@pytest.mark.parametrize(
    ("url", "plain"),
    [("s3://bucket", "s3://bucket"), ("s3://my.bucket/a/b/", "s3://my.bucket/a/b")],
)
def test_an_s3_url_is_a_bucket_and_a_prefix(url: str, plain: str) -> None:
    """Opening asks the service nothing."""
    assert open_store(StoreOptions(url=url)).url == plain
