"""Every link in every page leads somewhere: file and heading are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import anchors, pages, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Within the repository; what is elsewhere is https."""
    dead = []
    for target in _LINK.findall(prose(page)):
        if "://" in target:
            assert target.startswith("https://"), target
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            dead.append(target)
    assert dead == []


def test_the_readme_leads_to_every_page() -> None:
    """A page that nobody is led to is not read: one link from the README, or from one it links."""
    linked: set[Path] = {ROOT / "README.md"}
    for _ in range(2):
        for page in [path for path in linked if path.suffix == ".md"]:
            targets = (target.partition("#")[0] for target in _LINK.findall(prose(page)))
            linked |= {(page.parent / name).resolve() for name in targets if "://" not in name}
    kept = (ROOT / "docs", ROOT / "deploy")
    read = [
        page for page in pages() if page.is_relative_to(kept[0]) or page.is_relative_to(kept[1])
    ]
    assert [page for page in read if page not in linked and page.parent.name != "adr"] == []
