"""Collects Falco's lists, macros and rules in the order of the files, changes to them included.

A later item of the same name takes the place of an earlier one; with `override` (or the older
`append`) it changes parts of it. What must stand where is checked here; conditions are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shipper.rules.dialects.walk import text_of
from shipper.rules.document import Document, Path, Problem

SOURCE = "k8s_audit"

_IGNORED = ("required_engine_version", "required_plugin_versions")
"""They speak of Falco's own programs."""

_LIST_KEYS = frozenset(("list", "items", "append", "override"))
_MACRO_KEYS = frozenset(("macro", "condition", "append", "override"))
_RULE_KEYS = frozenset((
    "rule", "condition", "desc", "output", "priority", "source", "tags", "enabled", "exceptions",
    "append", "override", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration",
    "minimum_priority",
))  # fmt: skip
_NEEDED = ("condition", "output", "priority")


@dataclass(frozen=True)
class Place:
    """Where something stands."""

    document: Document
    path: Path

    def problem(self, reason: str, *, row: int = 1) -> Problem:
        """A mistake there, in row `row` of a text."""
        line = self.document.lines(self.path).value + row - 1
        where = [step for step in self.path if isinstance(step, str)]
        return Problem(self.document.file, line, f"{where[-1] if where else 'item'}: {reason}")


@dataclass
class Passage:
    """A condition, perhaps written in several places."""

    pieces: list[tuple[str, Place]]

    @property
    def text(self) -> str:
        return " ".join(text for text, _ in self.pieces)

    def problem(self, offset: int, reason: str) -> Problem:
        """A mistake at `offset` in the text."""
        for text, place in self.pieces:
            if offset <= len(text):
                return place.problem(reason, row=text.count("\n", 0, offset) + 1)
            offset -= len(text) + 1
        return self.pieces[-1][1].problem(reason)


@dataclass
class RuleItem:
    """A rule as all its items together say."""

    name: str
    place: Place
    condition: Passage
    values: dict[str, Any]
    places: dict[str, Place]
    exceptions: list[tuple[Mapping[str, Any], Place]] = field(default_factory=list)


class Book:
    """What the documents say, so far."""

    def __init__(self) -> None:
        self.lists: dict[str, list[str]] = {}
        self.macros: dict[str, Passage] = {}
        self.rules: dict[str, RuleItem] = {}
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self._other: set[str] = set()

    def add(self, document: Document) -> None:
        """The items of one document."""
        for number, item in enumerate(document.value):
            if not isinstance(item, dict):
                self.problems.append(document.problem((number,), "expected a mapping"))
            elif "list" in item:
                self._list(document, number, item)
            elif "macro" in item:
                self._macro(document, number, item)
            elif "rule" in item:
                self._rule(document, number, item)
            elif not any(key in item for key in _IGNORED):
                reason = "expected list, macro or rule"
                self.problems.append(document.problem((number,), reason))

    def _list(self, document: Document, number: int, item: Mapping[str, Any]) -> None:
        name = self._named(document, number, "list", item, _LIST_KEYS)
        items = item.get("items", [])
        if not isinstance(items, list) or any(isinstance(one, dict | list) for one in items):
            reason = "expected a list of texts"
            self.problems.append(document.problem((number, "items"), reason))
        elif name is not None:
            texts = [text_of(one) for one in items]
            if self._ways(document, number, item, {"items"}).get("items") == "append":
                if self._is_known(document, number, name, self.lists):
                    self.lists[name].extend(texts)
            else:
                self.lists[name] = texts

    def _macro(self, document: Document, number: int, item: Mapping[str, Any]) -> None:
        name = self._named(document, number, "macro", item, _MACRO_KEYS)
        condition = self._condition(document, number, item)
        if name is None or condition is None:
            return
        if self._ways(document, number, item, {"condition"}).get("condition") == "append":
            if self._is_known(document, number, name, self.macros):
                self.macros[name].pieces.extend(condition.pieces)
        else:
            self.macros[name] = condition

    def _rule(self, document: Document, number: int, item: Mapping[str, Any]) -> None:
        name = self._named(document, number, "rule", item, _RULE_KEYS)
        if name is None:
            return
        ways = self._ways(document, number, item, set(item))
        if not ways and set(item) == {"rule", "enabled"}:
            ways = {"enabled": "replace"}
        if ways and name in self._other:
            return
        if not ways:
            self._define(document, number, name, item)
        elif self._is_known(document, number, name, self.rules):
            for key, way in ways.items():
                self._change(document, number, self.rules[name], item, key, way=way)

    def _define(self, document: Document, number: int, name: str, item: Mapping[str, Any]) -> None:
        source = item.get("source", "syscall")
        self._other.discard(name)
        if source != SOURCE:
            self.rules.pop(name, None)
            self._other.add(name)
            reason = f"{name}: left out, its source is {source}"
            self.notes.append(document.problem((number,), reason))
            return
        for key in _NEEDED:
            if not isinstance(item.get(key), str):
                self.problems.append(document.problem((number,), f"the rule {name} needs {key}"))
        condition = self._condition(document, number, item)
        if condition is None or any(not isinstance(item.get(key), str) for key in _NEEDED):
            return
        place = Place(document, (number, "rule"))
        rule = RuleItem(name, place, condition, {}, {})
        for key in item:
            self._change(document, number, rule, item, key, way="replace")
        self.rules[name] = rule

    def _change(
        self,
        document: Document,
        number: int,
        rule: RuleItem,
        item: Mapping[str, Any],
        key: str,
        *,
        way: str,
    ) -> None:
        place = Place(document, (number, key))
        if key == "condition":
            condition = self._condition(document, number, item)
            if condition is not None and way == "append":
                rule.condition.pieces.extend(condition.pieces)
            elif condition is not None:
                rule.condition = condition
        elif key == "exceptions":
            self._except(rule, item[key], place, way=way)
        elif way == "append" and isinstance(rule.values.get(key), list):
            rule.values[key] = [*rule.values[key], *(item[key] or ())]
        elif way == "append" and key in ("desc", "output"):
            rule.values[key] = f"{rule.values.get(key, '')} {item[key]}"
        else:
            rule.values[key], rule.places[key] = item[key], place

    def _except(self, rule: RuleItem, value: Any, place: Place, *, way: str) -> None:
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.problems.append(place.problem("expected a list of mappings"))
            return
        if way == "replace":
            rule.exceptions = []
        for number, one in enumerate(value):
            where = Place(place.document, (*place.path, number))
            known = [index for index, (other, _) in enumerate(rule.exceptions)
                     if other.get("name") == one.get("name")]  # fmt: skip
            if known and "fields" not in one:
                before, first = rule.exceptions[known[0]]
                values = [*(before.get("values") or ()), *(one.get("values") or ())]
                rule.exceptions[known[0]] = ({**before, "values": values}, first)
            else:
                rule.exceptions.append((one, where))

    # ---- what all items have

    def _named(
        self,
        document: Document,
        number: int,
        kind: str,
        item: Mapping[str, Any],
        known: frozenset[str],
    ) -> str | None:
        for key in item.keys() - known:
            self.notes.append(document.problem((number, key), "ignored: Falco has no such key"))
        name = item[kind]
        if isinstance(name, str) and name.strip():
            return name.strip()
        self.problems.append(document.problem((number, kind), "expected a name"))
        return None

    def _condition(
        self, document: Document, number: int, item: Mapping[str, Any]
    ) -> Passage | None:
        text = item.get("condition")
        if isinstance(text, str) and text.strip():
            return Passage([(text, Place(document, (number, "condition")))])
        self.problems.append(document.problem((number, "condition"), "expected a condition"))
        return None

    def _ways(
        self, document: Document, number: int, item: Mapping[str, Any], able: set[str]
    ) -> dict[str, str]:
        """What is appended and what replaced; nothing: it is a definition."""
        override = item.get("override")
        if override is None:
            appended = able & {"items", "condition", "exceptions"} if item.get("append") else set()
            return dict.fromkeys(sorted(appended & item.keys()), "append")
        if isinstance(override, dict):
            wrong = [
                key
                for key, way in override.items()
                if key not in able or key not in item or way not in ("append", "replace")
            ]
            if not wrong:
                return override
            reason = f"{wrong[0]}: expected append or replace of a key that the item has"
        else:
            reason = "expected a mapping"
        self.problems.append(document.problem((number, "override"), reason))
        return {}

    def _is_known(
        self, document: Document, number: int, name: str, known: Mapping[str, Any]
    ) -> bool:
        if name not in known:
            reason = f"there is no {name} before here that could be changed"
            self.problems.append(document.problem((number,), reason))
        return name in known
