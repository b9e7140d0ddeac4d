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
from shipper.rules.maybe import Clause
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

    `always`: those that need no words. The others need one of `in_object` to stand in the object or
    one of `in_annotations` in the annotations.
    """

    __slots__ = ("_always", "_in_annotations", "_in_object", "rules")

    def __init__(
        self,
        rules: tuple[Asked, ...],
        *,
        always: tuple[Asked, ...],
        in_object: Finds | None = None,
        in_annotations: tuple[bytes, ...] = (),
    ) -> None:
        self.rules = rules
        self._always = always
        self._in_object = in_object
        self._in_annotations = in_annotations

    def passed(self, terms: Terms) -> tuple[Asked, ...]:
        """Those that may concern this very event, as far as the words of all together say it."""
        if self._in_object is not None:
            found = terms.object_bytes
            if not found or self._in_object(found):
                return self.rules
        for word in self._in_annotations:
            if word in terms.annotation_bytes:
                return self.rules
        return self._always


def _gate(rules: tuple[Asked, ...]) -> Gate:
    words = {word for rule in rules if rule.need for word in _telling(rule.need)}
    in_object = sorted(word.text for word in words if word.place == "object")
    in_annotations = sorted(word.text for word in words if word.place == "annotations")
    try:
        return Gate(
            rules,
            always=tuple(rule for rule in rules if not rule.need),
            in_object=_any_of(in_object) if in_object else None,
            in_annotations=tuple(in_annotations),
        )
    except CallError:  # too many words for one expression
        return Gate(rules, always=rules)


def _telling(need: Sequence[Clause]) -> Clause:
    """The clause that is least often met: one of words in the object, if there is one."""
    return next((one for one in need if all(word.place == "object" for word in one)), need[0])


def _any_of(texts: Sequence[bytes]) -> Finds:
    if len(texts) < _MANY:
        return lambda data: any(text in data for text in texts)
    search = compiled("|".join(re.escape(text.decode()) for text in texts)).search
    return lambda data: search(data) is not None
