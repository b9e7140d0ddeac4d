"""Collects Falco's lists, macros and rules in the order of the files, changes to them included.

A later item of the same name takes the place of an earlier one; with `override` (or the older
`append`) it changes parts of it. What must stand where is checked here; conditions are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
_APPENDED = frozenset(("items", "condition", "exceptions"))
"""What the older `append: true` speaks of."""


@dataclass(frozen=True)
class Place:
    """Where something stands."""

    document: Document
    path: Path

    def problem(self, reason: str, *, row: int = 1) -> Problem:
        """A mistake there, in row `row` of a text."""
        line = self.document.lines(self.path).value + row - 1
        where = "".join(f"{step}: " for step in self.path if isinstance(step, str))
        return Problem(self.document.file, line, f"{where}{reason}")


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


class Item(NamedTuple):
    """One entry of a file."""

    document: Document
    number: int
    value: Mapping[str, Any]

    def place(self, *path: str) -> Place:
        """Where the entry, or a value in it, stands."""
        return Place(self.document, (self.number, *path))


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
        """Rules of other sources."""

    def add(self, document: Document) -> None:
        """The items of one document."""
        for number, value in enumerate(document.value):
            if not isinstance(value, dict):
                where = Place(document, (number,))
                self.problems.append(where.problem("expected a mapping"))
                continue
            item = Item(document, number, value)
            if "list" in value:
                self._list(item)
            elif "macro" in value:
                self._macro(item)
            elif "rule" in value:
                self._rule(item)
            elif not any(key in value for key in _IGNORED):
                self.problems.append(item.place().problem("expected list, macro or rule"))

    def _list(self, item: Item) -> None:
        name = self._named(item, "list", _LIST_KEYS)
        items = item.value.get("items", [])
        if not isinstance(items, list) or any(isinstance(one, dict | list) for one in items):
            self.problems.append(item.place("items").problem("expected a list of texts"))
        elif name is not None:
            texts = [text_of(one) for one in items]
            if self._ways(item, {"items"}).get("items") != "append":
                self.lists[name] = texts
            elif self._is_known(item, name, self.lists):
                self.lists[name].extend(texts)

    def _macro(self, item: Item) -> None:
        name = self._named(item, "macro", _MACRO_KEYS)
        condition = self._condition(item)
        if name is None or condition is None:
            return
        if self._ways(item, {"condition"}).get("condition") != "append":
            self.macros[name] = condition
        elif self._is_known(item, name, self.macros):
            self.macros[name].pieces.extend(condition.pieces)

    def _rule(self, item: Item) -> None:
        name = self._named(item, "rule", _RULE_KEYS)
        if name is None:
            return
        ways = self._ways(item, set(item.value))
        if not ways and set(item.value) == {"rule", "enabled"}:
            ways = {"enabled": "replace"}
        if not ways:
            self._define(item, name)
        elif name not in self._other and self._is_known(item, name, self.rules):
            for key, way in ways.items():
                self._change(self.rules[name], item, key, way=way)

    def _define(self, item: Item, name: str) -> None:
        source = item.value.get("source", "syscall")
        self._other.discard(name)
        if source != SOURCE:
            self.rules.pop(name, None)
            self._other.add(name)
            reason = f"{name}: left out, its source is {source}"
            self.notes.append(item.place().problem(reason))
            return
        missing = [key for key in _NEEDED if not isinstance(item.value.get(key), str)]
        self.problems += [item.place().problem(f"the rule {name} needs {key}") for key in missing]
        condition = None if missing else self._condition(item)
        if condition is None:
            return
        rule = RuleItem(name, item.place("rule"), condition, {}, {})
        for key in item.value.keys() - {"condition"}:
            self._change(rule, item, key, way="replace")
        self.rules[name] = rule

    def _change(self, rule: RuleItem, item: Item, key: str, *, way: str) -> None:
        value, place = item.value[key], item.place(key)
        if key == "condition":
            condition = self._condition(item)
            if condition is not None and way == "append":
                rule.condition.pieces.extend(condition.pieces)
            elif condition is not None:
                rule.condition = condition
        elif key == "exceptions":
            self._except(rule, value, place, way=way)
        elif way == "append" and isinstance(rule.values.get(key), list):
            rule.values[key] = [*rule.values[key], *(value or ())]
        elif way == "append" and key in ("desc", "output"):
            rule.values[key] = f"{rule.values.get(key, '')} {value}"
        else:
            rule.values[key], rule.places[key] = value, place

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

    def _named(self, item: Item, kind: str, known: frozenset[str]) -> str | None:
        for key in sorted(item.value.keys() - known):
            self.notes.append(item.place(key).problem("ignored: Falco has no such key"))
        name = item.value[kind]
        if isinstance(name, str) and name.strip():
            return name.strip()
        self.problems.append(item.place(kind).problem("expected a name"))
        return None

    def _condition(self, item: Item) -> Passage | None:
        text = item.value.get("condition")
        if isinstance(text, str) and text.strip():
            return Passage([(text, item.place("condition"))])
        self.problems.append(item.place("condition").problem("expected a condition"))
        return None

    def _ways(self, item: Item, able: set[str]) -> dict[str, str]:
        """What is appended and what replaced; nothing: it is a definition."""
        override = item.value.get("override")
        if override is None:
            appended = able & _APPENDED & item.value.keys() if item.value.get("append") else ()
            return dict.fromkeys(sorted(appended), "append")
        if isinstance(override, dict):
            wrong = [
                key
                for key, way in override.items()
                if key not in able & item.value.keys() or way not in ("append", "replace")
            ]
            if not wrong:
                return override
            reason = f"{wrong[0]}: expected append or replace of a key that the item has"
        else:
            reason = "expected a mapping"
        self.problems.append(item.place("override").problem(reason))
        return {}

    def _is_known(self, item: Item, name: str, known: Mapping[str, Any]) -> bool:
        if name not in known:
            reason = f"there is no {name} before here that could be changed"
            self.problems.append(item.place().problem(reason))
        return name in known
