"""Secrets come from files, at each use; errors name the file and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipper.errors import TellError
from shipper.tell.secret_files import read_secrets
from tests.tell.support import receiver


def test_each_file_is_read_again_each_time(tmp_path: Path) -> None:
    """To change a secret is to write the file."""
    token, key = tmp_path / "token", tmp_path / "key"
    one = receiver("webhook", token_file=str(token), hmac_key_file=str(key))
    token.write_text("first\n")
    key.write_text("whsec_a\nwhsec_b\n")
    assert read_secrets(one) == {"token": "first", "hmac_key": "whsec_a\nwhsec_b"}
    token.write_text("second")
    assert read_secrets(one) == {"token": "second", "hmac_key": "whsec_a\nwhsec_b"}


def test_no_file_no_secret() -> None:
    """Keys that are not set are not asked for."""
    assert read_secrets(receiver("webhook")) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"two words",
        b"a\r\nX-Injected: 1",
        b"a\nb",
        b"\xff\xfe",
        "clé".encode(),
        b"x" * 20_000,
    ],
)
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nothing that could break out of a header; what it holds is not repeated."""
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(TellError, match=r"token_file .*/token ") as caught:
        read_secrets(receiver("webhook", token_file=str(path)))
    assert "Injected" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the reason, and what to do."""
    with pytest.raises(TellError, match="url_file /none cannot be read: No such file"):
        read_secrets(receiver("slack", url_file="/none"))
