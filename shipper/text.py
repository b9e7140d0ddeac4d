"""Text that somebody else wrote, made fit to be shown: one bounded line that no terminal obeys."""

from __future__ import annotations

import unicodedata

_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
"""Unicode categories: controls, marks that turn the direction of text, surrogates, line breaks."""


def harmless(text: str, limit: int) -> str:
    """`text` on one line, without a character that a terminal would obey, at most `limit` long."""
    text = cut(text, limit)
    if text.isascii() and text.isprintable():
        return text
    return cut("".join(map(_visible, text)), limit)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last of them an ellipsis if something was cut off."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
