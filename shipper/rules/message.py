"""Message templates: text with CEL between `{{` and `}}`, filled in and made harmless.

A finding is read in terminals, chats and tickets: control characters, line breaks and the marks
that turn the direction of text become `\\u…` escapes, and every text has an end.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_VALUE = 512
"""Characters of one value in a message."""

MAX_MESSAGE = 2000
"""Characters of a message."""

UNKNOWN = "(unknown)"
"""What stands for a value that the event does not have."""

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class Part(NamedTuple):
    """A piece of a template: text as it stands, or an expression and the row (from 1) it is in."""

    text: str
    expression: bool
    row: int


def split(template: str) -> list[Part]:
    """The pieces of `template` in order. A `{{` without its `}}` is text."""
    parts = []
    at = 0
    for match in _EXPRESSION.finditer(template):
        if match.start() > at:
            parts.append(Part(template[at : match.start()], False, 1))
        row = template.count("\n", 0, match.start(1)) + 1
        parts.append(Part(match[1].strip(), True, row))
        at = match.end()
    if at < len(template):
        parts.append(Part(template[at:], False, 1))
    return parts
