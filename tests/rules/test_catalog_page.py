"""docs/catalog.md says what the catalog says."""

from __future__ import annotations

from tests.rules.catalog_page import PAGE, page


def test_the_page_is_what_the_rules_say() -> None:
    """Whoever changes a rule writes the page anew: python -m tests.rules.catalog_page."""
    assert PAGE.read_text(encoding="utf-8") == page()
