"""Anchors on the keys of a pattern: `(name)`, `=(name)`, `^(name)`, `X(name)`, `<(name)`.

Source: kyverno pkg/engine/anchor.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ANCHOR = re.compile(r"([+<=X^])?\((.+)\)")


class Anchor(NamedTuple):
    """`kind` is the sign before the parenthesis; empty for a condition, None for no anchor."""

    kind: str | None
    key: str

    def __str__(self) -> str:
        """As it is written."""
        return self.key if self.kind is None else f"{self.kind}({self.key})"


def anchor(key: str) -> Anchor:
    """What the key of a pattern says. `+(name)`, which only mutation knows, is a plain key."""
    found = _ANCHOR.fullmatch(key.strip())
    if found is None or found[1] == "+":
        return Anchor(None, key)
    return Anchor(found[1] or "", found[2])
