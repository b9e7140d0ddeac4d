"""Which words that rules look for stand in an event's annotations.

Annotations repeat themselves (who allowed it, and why), so what was found in them is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable

from shipper.rules.prefilter import Filter

MAX_WORDS = 64
"""Words that are looked for: each costs every event whose annotations are new."""

MAX_REMEMBERED = 2048
"""Annotations whose words are remembered, some 0.5 KiB each."""

MAX_BYTES = 2048
"""Longer ones are not remembered."""


class Marks:
    """The words of one rule set."""

    def __init__(self, words: Iterable[bytes]) -> None:
        self._words = tuple(sorted(set(words)))[:MAX_WORDS]
        self._remembered: dict[bytes, tuple[bytes, ...]] = {}

    def sure(self, needed: Filter) -> Filter:
        """The filter without clauses of words that are not looked for: they say nothing."""
        known = [clause for clause in needed.in_annotations if clause <= frozenset(self._words)]
        return needed._replace(in_annotations=known)

    def of(self, annotations: bytes) -> tuple[bytes, ...]:
        """The words in `annotations`, JSON as it stands in the line."""
        found = self._remembered.get(annotations)
        if found is None:
            found = tuple([word for word in self._words if word in annotations])
            if len(annotations) <= MAX_BYTES:
                if len(self._remembered) >= MAX_REMEMBERED:
                    self._remembered.clear()
                self._remembered[annotations] = found
        return found
