"""Reads Falco's conditions: `ka.verb = create and not (kevt or ka.user.name in (a, b))`.

The grammar of falcosecurity/libs, userspace/libsinsp/filter/parser.cpp. Makes a tree; knows neither
fields nor macros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shipper.rules.dialects.falco.fields import Field

MAX_DEPTH = 64
"""How deep parentheses may be nested."""


class ConditionError(ValueError):
    """Not a condition. `offset` is where in the text."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(reason)
        self.offset = offset


@dataclass(frozen=True)
class Check:
    """A field, an operator, and the values it is compared with; `any`, `all`, `one` of them."""

    offset: int
    field: Field
    operator: str
    values: tuple[str, ...] = ()
    lists: bool = False
    """Whether a value may be the name of a list."""
    of: str = ""
    case: str = ""
    """`lower` or `upper`: the field's text is compared in that case."""


@dataclass(frozen=True)
class Macro:
    """The name of another condition."""

    offset: int
    name: str


@dataclass(frozen=True)
class Not:
    """The opposite."""

    part: Node


@dataclass(frozen=True)
class Junction:
    """`and` or `or` between parts."""

    word: str
    parts: tuple[Node, ...]


Node = Check | Macro | Not | Junction

_BLANK = re.compile(r"[ \t\b\r\n]*")
_IDENTIFIER = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*")
_FIELD = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*(\.[a-zA-Z]+[a-zA-Z0-9_]*)+")
_ARGUMENT = re.compile(r"[^\]\[\"'\s]+")
_BARE = re.compile(r"[^()\"'\s=,]+")
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ONE_VALUE = re.compile(
    r"(<=|<|>=|>|==|=|!=|(?:i?glob|[ib]?contains|b?startswith|endswith|regex)(?=[ \t\b\r\n]))"
)
_LIST_VALUE = re.compile(r"intersects|in|pmatch")
_MODIFIER = re.compile(r"(one|any|all)of[ \t\b\r\n]+(?=\(|(?!(?:and|or|not)\b)[a-zA-Z])")
_CASE = re.compile(r"to(lower|upper)\(")
_TRANSFORMER = re.compile(r"(b64|basename|len|join|concat|getopt|val)\(")
_NOT = re.compile(r"not(?=[ \t\b\r\n(])")


def parse(text: str) -> Node:
    """The tree of the condition `text`. Raises ConditionError."""
    parser = _Parser(text)
    node = parser.either(0)
    if parser.at < len(text):
        raise parser.error("expected 'and', 'or' or the end")
    return node


class _Parser:
    """A cursor over one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0
        self._skip()

    def error(self, reason: str) -> ConditionError:
        rest = self._text[self.at : self.at + 20].split("\n")[0]
        return ConditionError(self.at, f"{reason}, not {rest!r}" if rest else f"{reason}: it ends")

    def either(self, depth: int) -> Node:
        """Parts with `or` between them."""
        if depth > MAX_DEPTH:
            raise ConditionError(self.at, f"nested deeper than {MAX_DEPTH} levels")
        parts = [self._all(depth)]
        while self._word("or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Junction("or", tuple(parts))

    def _all(self, depth: int) -> Node:
        parts = [self._negated(depth)]
        while self._word("and"):
            parts.append(self._negated(depth))
        return parts[0] if len(parts) == 1 else Junction("and", tuple(parts))

    def _negated(self, depth: int) -> Node:
        negated = False
        while self._take(_NOT):
            negated = not negated
        part = self._part(depth)
        return Not(part) if negated else part

    def _part(self, depth: int) -> Node:
        start = self.at
        if self._symbol("("):
            inner = self.either(depth + 1)
            self._expect(")")
            return inner
        if transformer := self._take(_TRANSFORMER):
            self.at = start
            raise ConditionError(self.at, f"{transformer[1]}() is not supported")
        case = ""
        if lowered := self._take(_CASE):
            case = lowered[1]
        name = self._take(_FIELD)
        if name is None:
            word = None if case else self._take(_IDENTIFIER)
            if word is None:
                raise self.error("expected a field, a macro or '('")
            return Macro(start, word[0])
        field = Field(name[0], self._argument())
        if case:
            self._expect(")")
        return self._check(start, field, case)

    def _argument(self) -> str | None:
        if self._text[self.at : self.at + 1] != "[":
            return None
        self.at += 1
        argument = self._quoted()
        if argument is None:
            bare = self._take(_ARGUMENT)
            argument = bare[0] if bare else None
        if argument is None:
            raise self.error("expected an argument in brackets")
        self._expect("]")
        return argument

    def _check(self, start: int, field: Field, case: str) -> Check:
        self._skip()
        if self._word("exists"):
            return Check(start, field, "exists", case=case)
        if operator := self._take(_ONE_VALUE):
            if chosen := self._take(_MODIFIER):
                values = self._values()
                return Check(start, field, operator[1], values, True, chosen[1], case)
            return Check(start, field, operator[1], (self._value(),), case=case)
        if operator := self._take(_LIST_VALUE):
            return Check(start, field, operator[0], self._values(), True, case=case)
        raise self.error(f"expected an operator behind {field}")

    def _values(self) -> tuple[str, ...]:
        """Values in parentheses, or the name of a list."""
        if not self._symbol("("):
            return (self._value(),)
        values: list[str] = []
        while not self._symbol(")"):
            if values:
                self._expect(",")
            values.append(self._value())
        return tuple(values)

    def _value(self) -> str:
        if (chosen := self._take(_TRANSFORMER) or self._take(_CASE)) is not None:
            self.at = chosen.start()
            raise ConditionError(self.at, "comparing a field with a field is not supported")
        quoted = self._quoted()
        if quoted is not None:
            return quoted
        bare = self._take(_BARE)
        if bare is None:
            raise self.error("expected a value")
        return bare[0]

    def _quoted(self) -> str | None:
        found = self._take(_QUOTED)
        if found is None:
            return None
        return _ESCAPE.sub(_unescaped, found[1] if found[2] is None else found[2])

    # ---- tokens

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self.at)
        self.at = blank.end() if blank else self.at

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self.at)
        if found is not None:
            self.at = found.end()
            if pattern is not _FIELD:
                self._skip()
        return found

    def _symbol(self, text: str) -> bool:
        if not self._text.startswith(text, self.at):
            return False
        self.at += len(text)
        self._skip()
        return True

    def _word(self, word: str) -> bool:
        """`word`, if it stands alone."""
        behind = self._text[self.at + len(word) : self.at + len(word) + 1]
        alone = not (behind.isalnum() or (behind in ("_", ".", "-") and behind))
        return alone and self._symbol(word)

    def _expect(self, text: str) -> None:
        if not self._symbol(text):
            raise self.error(f"expected {text!r}")


def _unescaped(found: re.Match[str]) -> str:
    escape = found[1]
    if len(escape) == 3:
        return chr(int(escape[1:], 16))
    return _ESCAPED.get(escape, "\\ " if escape == " " else escape)
