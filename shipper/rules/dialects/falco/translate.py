"""Falco's rules for Kubernetes audit events (source k8s_audit), translated into AuditRules.

Lists, macros, overrides and exceptions are written out; the conditions decide as Falco's own
(condition.py, emit.py, fields.py). Rules of other sources are left out with a note. Never guesses:
what has no counterpart is a problem with file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shipper.model import Severity
from shipper.rules.dialects.cel_text import FALSE, UnsupportedError, both, listed, negated
from shipper.rules.dialects.detection import Translated
from shipper.rules.dialects.falco.book import Book, Passage, Place, RuleItem
from shipper.rules.dialects.falco.condition import ConditionError, parse
from shipper.rules.dialects.falco.emit import emitted
from shipper.rules.dialects.falco.exceptions import excepted
from shipper.rules.dialects.falco.fields import FieldError
from shipper.rules.dialects.falco.output import message
from shipper.rules.dialects.translated import (
    ALL_STAGES,
    MAX_MESSAGE,
    Names,
    audit_rule,
    techniques,
)
from shipper.rules.document import Document, Problem
from shipper.rules.rule import AuditRule, RuleMatch

MAX_NAMES = 64
"""How deep macros and lists may name each other."""

MAX_WRITTEN = 64
"""Values of a list that are written out."""

_SEVERITIES: Mapping[str, Severity] = {
    "emergency": "critical",
    "alert": "critical",
    "critical": "critical",
    "error": "high",
    "warning": "medium",
    "notice": "low",
    "informational": "info",
    "info": "info",
    "debug": "info",
}


class Falco:
    """The language. Rules come out in the order in which their names were first given."""

    def translate(self, documents: Sequence[Document]) -> Translated:
        """The rules in `documents`, which are in the order in which Falco would load them."""
        book = Book()
        for document in documents:
            book.add(document)
        translator = _Translator(book)
        rules = [rule for item in book.rules.values() for rule in translator.rule(item)]
        return Translated(rules, book.problems, book.notes, translator.params)


class _MistakeError(Exception):
    """The rule cannot be translated."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


class _Translator:
    """One reading of a book that is complete; macros are translated when first they are named."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._names = Names("falco")
        self._macros: dict[str, str] = {}
        self._lists: dict[str, tuple[str, ...]] = {}
        self._open: list[str] = []
        self.params: dict[str, list[str]] = {}

    def rule(self, item: RuleItem) -> list[tuple[Document, AuditRule]]:
        """The rule, if it is in force and can be translated."""
        if item.values.get("enabled", True) is False:
            self._book.notes.append(item.place.problem(f"{item.name}: left out, it is disabled"))
            return []
        try:
            document = item.place.document.part(item.place.path[:1])
            return [(document, self._translated(item))]
        except _MistakeError as mistake:
            skipped = (
                item.values.get("skip-if-unknown-filter") is True
                and isinstance(mistake.__cause__, ConditionError)
                and isinstance(mistake.__cause__.__cause__, FieldError)
            )
            (self._book.notes if skipped else self._book.problems).append(mistake.problem)
            return []

    def _translated(self, item: RuleItem) -> AuditRule:
        tags = item.values.get("tags")
        return audit_rule(
            name=self._names.of(item.name),
            title=item.name,
            severity=self._severity(item),
            when=self._when(item),
            description=str(item.values.get("desc") or "").strip(),
            attack=techniques(tags if isinstance(tags, list) else ()),
            message=self._message(item),
            match=RuleMatch(stages=ALL_STAGES),
        )

    def _severity(self, item: RuleItem) -> Severity:
        severity = _SEVERITIES.get(str(item.values["priority"]).lower())
        if severity is None:
            reason = f"{item.values['priority']!r} is none of Falco's priorities"
            raise _MistakeError(item.places["priority"].problem(reason))
        return severity

    def _message(self, item: RuleItem) -> str:
        where = item.places["output"]
        try:
            found = message(str(item.values["output"]))
        except FieldError as error:
            raise _MistakeError(where.problem(str(error))) from error
        if not found or len(found) > MAX_MESSAGE:
            raise _MistakeError(where.problem(f"expected 1 to {MAX_MESSAGE} characters"))
        return found

    def _when(self, item: RuleItem) -> str:
        condition = self._passage(item.condition)
        parts = [condition]
        for written, where in item.exceptions:
            parts.append(negated(self._exception(written, where)))
        try:
            return both(parts)
        except UnsupportedError as error:
            raise _MistakeError(item.condition.problem(0, str(error))) from error

    def _exception(self, written: Mapping[str, Any], where: Place) -> str:
        try:
            node = excepted(written)
            return FALSE if node is None else emitted(node, self)
        except (ValueError, RecursionError) as error:
            reason = f"{written.get('name', '')}: {error}"
            raise _MistakeError(where.problem(reason)) from error

    def _passage(self, passage: Passage) -> str:
        try:
            return emitted(parse(passage.text), self)
        except ConditionError as error:
            raise _MistakeError(passage.problem(error.offset, str(error))) from error
        except UnsupportedError as error:
            raise _MistakeError(passage.problem(0, str(error))) from error

    def macro(self, name: str) -> str:
        """The macro's condition, in CEL."""
        if name in self._macros:
            return self._macros[name]
        if name not in self._book.macros:
            raise UnsupportedError(f"there is no macro {name}")
        if name in self._open:
            raise UnsupportedError(f"the macro {name} names itself")
        if len(self._open) >= MAX_NAMES:
            raise UnsupportedError(f"macros that name each other deeper than {MAX_NAMES} levels")
        self._open.append(name)
        try:
            self._macros[name] = self._passage(self._book.macros[name])
        finally:
            self._open.pop()
        return self._macros[name]

    def listed(self, values: Sequence[str]) -> str:
        """The list in CEL: a long one is a parameter, lest the expression be too long."""
        if len(values) <= MAX_WRITTEN:
            return listed(values)
        name = f"falco_{_digest(values)}"
        self.params[name] = list(values)
        return f"params.{name}"

    def values(self, written: Iterable[str]) -> tuple[str, ...]:
        """The values, those that are names of lists replaced by what these hold."""
        found: dict[str, None] = {}
        for value in written:
            found.update(
                dict.fromkeys(self._list(value) if value in self._book.lists else (value,))
            )
        return tuple(found)

    def _list(self, name: str) -> tuple[str, ...]:
        if name not in self._lists:
            self._lists[name] = (name,)  # within itself it is a text like any other
            if len(self._open) >= MAX_NAMES:
                raise UnsupportedError(f"lists that name each other deeper than {MAX_NAMES} levels")
            self._open.append(name)
            try:
                self._lists[name] = self.values(self._book.lists[name])
            finally:
                self._open.pop()
        return self._lists[name]


def _digest(values: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]
