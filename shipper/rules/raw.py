"""`match.raw`: an RE2 expression that the line must contain, in the bytes as they were written.

RE2 is linear in the line, but its worst case is a step for each of the expression's instructions
and each byte: where that is too much, the line is taken to contain it, and CEL has the last word.
"""

from __future__ import annotations

from shipper.rules.cel.library.regex import compiled

MAX_STEPS = 1 << 28
"""About a second at the worst."""


class Raw:
    """One expression. Raises ValueError if it is none, or too large."""

    def __init__(self, pattern: str) -> None:
        self._regex = compiled(pattern)

    def may_be_in(self, line: bytes) -> bool:
        """Whether the line contains it, or would take too long to search."""
        if self._regex.programsize * len(line) > MAX_STEPS:
            return True
        return self._regex.search(line) is not None
