"""Candidates behind gates: one search through the bytes turns most rules away at once.

Several rules that look for words in the same object would each search it. Here the words of all of
them are looked for together, by RE2 in one pass; only where one is found is each rule asked alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from shipper.rules.asked import Asked
from shipper.rules.cel.library.function import CallError
from shipper.rules.cel.library.regex import compiled
from shipper.rules.terms import Terms

Finds = Callable[[bytes], bool]

_MANY = 4
"""From so many words on one pass of RE2 is faster than one search for each."""

MAX_GATES = 64
"""Gates of one engine that search: each may take up to 2 MiB."""


class Gates:
    """The gates of one engine, one for each set of rules that some events may concern."""

    def __init__(self) -> None:
        self._gates: dict[tuple[Asked, ...], Gate] = {}

    def of(self, rules: tuple[Asked, ...]) -> Gate:
        """The gate before these rules."""
        if rules not in self._gates:
            if len(self._gates) >= MAX_GATES:
                return Gate(rules, always=rules)
            self._gates[rules] = _gate(rules)
        return self._gates[rules]


class Gate:
    """Rules that the same events may concern, in their order.

    `always`: those that need no words in the object; for the others `finds` must find one there.
    """

    __slots__ = ("_always", "_finds", "rules")

    def __init__(
        self, rules: tuple[Asked, ...], *, always: tuple[Asked, ...], finds: Finds | None = None
    ) -> None:
        self.rules = rules
        self._always = always
        self._finds = finds

    def passed(self, terms: Terms) -> tuple[Asked, ...]:
        """Those that may concern this very event, as far as the words of all together say it."""
        if self._finds is None:
            return self._always
        found = terms.object_bytes
        return self.rules if not found or self._finds(found) else self._always


def _gate(rules: tuple[Asked, ...]) -> Gate:
    """A gate that looks for the clause of each rule that is least often met."""
    texts = sorted({text for rule in rules if rule.in_object for text in rule.in_object[0]})
    if not texts:
        return Gate(rules, always=rules)
    try:
        finds = _any_of(texts)
    except CallError:  # too many words for one expression
        return Gate(rules, always=rules)
    return Gate(rules, always=tuple(one for one in rules if not one.in_object), finds=finds)


def _any_of(texts: Sequence[bytes]) -> Finds:
    if len(texts) < _MANY:
        return lambda data: any(text in data for text in texts)
    search = compiled("|".join(re.escape(text.decode()) for text in texts)).search
    return lambda data: search(data) is not None
