"""HTML and SVG from elements: every text is escaped, what is markup already is not.

Whoever builds a page from these cannot forget to escape.
"""

from __future__ import annotations

from html import escape


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: str | float) -> Markup:
    """An element; `class_` is the attribute class, `aria_label` is aria-label.

    Children are texts, which are escaped, or `Markup`. A control character, which no HTML may hold,
    is shown as an escape.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """The children one after the other."""
    return Markup("".join(str(one) if isinstance(one, Markup) else _text(one) for one in children))


def _attribute(key: str, value: str | float) -> str:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {key.rstrip("_").replace("_", "-")}="{_text(shown)}"'


def _text(text: str) -> str:
    shown = "".join(one if one.isprintable() else _visible(one) for one in text)
    return escape(shown)


def _visible(character: str) -> str:
    return character if character == "\n" else character.encode("unicode_escape").decode()
