"""docs/cli.md is what `--help` says."""

from __future__ import annotations

from tests.docs.cli_page import PAGE, made


def test_the_page_is_what_help_says() -> None:
    """Of every command. Not so: `make cli-page`, and read what has changed."""
    assert PAGE.read_text() == made()
