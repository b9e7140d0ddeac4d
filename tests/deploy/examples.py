"""Example configurations as this version of the program reads them."""

from __future__ import annotations

import yaml

from shipper import config


def understood(text: str) -> str:
    """The configuration without `health`, while the program has no health port."""
    page = yaml.safe_load(text)
    if "Health" not in config.schema()["$defs"]:
        page.pop("health", None)
    return yaml.safe_dump(page)
