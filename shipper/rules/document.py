"""YAML documents whose values still know their lines.

YAML 1.2's core types: only true and false are booleans, and a date is text. Whatever a rule file
has no use for is a problem, not a guess: tags, keys that are no text or stand twice, aliases that
unfold to more than the limit. Reads text; opens no file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import yaml
from yaml import events

MAX_DEPTH = 100
"""How deep values may be nested: the API server's own objects stay far below."""

MAX_VALUES = 4_000_000
"""Values in one file with its aliases unfolded: ten thousand rules with tests have fewer."""

_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """One mistake in one file. `line` counts from 1; 0: the file as a whole."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.reason}"


class Lines(NamedTuple):
    """Where a key stands and where its value begins (for a block text: its first line)."""

    key: int
    value: int


class Document:
    """One document: its value, and the lines of whatever is in it."""

    __slots__ = ("_lines", "file", "line", "value")

    def __init__(
        self, file: str, line: int, value: Any, lines: Mapping[int, Mapping[Any, Lines]]
    ) -> None:
        self.file = file
        self.line = line
        self.value = value
        self._lines = lines

    def lines(self, path: Path) -> Lines:
        """The lines of the value at `path`, or of the nearest one around it that is there."""
        found = Lines(self.line, self.line)
        value = self.value
        for step in path:
            inner = self._lines.get(id(value), {})
            if step not in inner:
                break
            found, value = inner[step], value[step]
        return found

    def part(self, path: Path) -> Document:
        """The value at `path` as a document of its own."""
        value = self.value
        for step in path:
            value = value[step]
        return Document(self.file, self.lines(path).value, value, self._lines)

    def problem(self, path: Path, reason: str, *, row: int = 1) -> Problem:
        """A mistake in the value at `path`; `row` counts the lines of a text from 1."""
        where = ".".join(map(str, path))
        line = self.lines(path).value + row - 1
        return Problem(self.file, line, f"{where}: {reason}" if where else reason)


class _UnreadableError(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, mark: Any, reason: str) -> None:
        super().__init__(reason)
        self.line = mark.line + 1 if mark else 0


class Schema(NamedTuple):
    """What an unquoted text without a tag means, and a key: one that is no text is a problem."""

    plain: Callable[[str], Any]
    key: Callable[[Any], Any] = lambda key: key


def _core(text: str) -> Any:
    """As YAML 1.2's core schema has it."""
    if text in _BOOL:
        return _BOOL[text]
    if text in _NULL:
        return None
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


CORE = Schema(_core)


def read(text: str, file: str, *, schema: Schema = CORE) -> tuple[list[Document], list[Problem]]:
    """The documents in `text`, empty ones left out, and what is wrong with its YAML.

    Behind an error of syntax nothing more can be read; the documents before it are returned.
    """
    reader = _Reader(text, file, schema)
    documents: list[Document] = []
    try:
        documents.extend(reader.documents())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        reader.problems.append(Problem(file, mark.line + 1 if mark else 0, f"not YAML: {reason}"))
    except _UnreadableError as error:
        reader.problems.append(Problem(file, error.line, str(error)))
    return documents, reader.problems


class _Reader:
    """Builds values from the parser's events: PyYAML's own composer recurses without a limit."""

    def __init__(self, text: str, file: str, schema: Schema) -> None:
        self._schema = schema
        self._events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self._file = file
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._lines: dict[int, dict[Any, Lines]] = {}
        self._count = 0
        self.problems: list[Problem] = []

    def documents(self) -> Iterator[Document]:
        for event in self._events:
            if isinstance(event, events.DocumentStartEvent):
                self._anchors, self._lines = {}, {}
                first: Any = next(self._events)
                value = self._value(first, 0)
                if value is not None:
                    yield Document(self._file, first.start_mark.line + 1, value, self._lines)

    def _problem(self, event: Any, reason: str) -> None:
        self.problems.append(Problem(self._file, event.start_mark.line + 1, reason))

    def _value(self, event: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise _UnreadableError(event.start_mark, f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        before = self._count
        if getattr(event, "tag", None) not in (None, "!"):
            self._problem(event, f"the tag {event.tag} means nothing here")
        value: Any
        if isinstance(event, events.MappingStartEvent):
            value = self._mapping(depth)
        elif isinstance(event, events.SequenceStartEvent):
            value = self._sequence(depth)
        else:
            quoted = event.style or not event.implicit[0]
            value = event.value if quoted else self._schema.plain(event.value)
        self._counted(event, 1)
        if event.anchor:
            self._anchors[event.anchor] = value, self._count - before
        return value

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            raise _UnreadableError(event.start_mark, f"there is no &{event.anchor} before here")
        value, size = self._anchors[event.anchor]
        self._counted(event, size)
        return value

    def _counted(self, event: Any, size: int) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            raise _UnreadableError(event.start_mark, f"more than {MAX_VALUES:,} values in one file")

    def _mapping(self, depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        lines = self._lines[id(value)] = {}
        while not isinstance(event := next(self._events), events.MappingEndEvent):
            key = self._schema.key(self._value(event, depth + 1))
            behind: Any = next(self._events)
            if not isinstance(key, str):
                self._problem(event, f"the key {key!r} is no text"[:200])
                key = str(key)[:200]
            elif key in value:
                self._problem(event, f"the key {key!r} stands twice")
            lines[key] = Lines(_line(event), _line(behind))
            value[key] = self._value(behind, depth + 1)
        return value

    def _sequence(self, depth: int) -> list[Any]:
        value: list[Any] = []
        lines = self._lines[id(value)] = {}
        while not isinstance(event := next(self._events), events.SequenceEndEvent):
            lines[len(value)] = Lines(_line(event), _line(event))
            value.append(self._value(event, depth + 1))
        return value


def _line(event: Any) -> int:
    block = isinstance(event, events.ScalarEvent) and event.style in ("|", ">")
    return int(event.start_mark.line) + (2 if block else 1)
