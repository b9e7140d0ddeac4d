"""Words that must stand in an event's bytes before an expression can be true.

`has(c.privileged) && c.privileged` can not be true of an object without `"privileged":true`: most
bodies need not be decoded to know that. Relies on how the API server writes JSON (no blanks between
tokens, no escaped letters); where a body looks otherwise, everything may be true of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shipper.rules.cel.paths import path_of
from shipper.rules.cel.tree import Call, Const, Ident, Select, Tree
from shipper.rules.levels import OBJECT_ROOTS
from shipper.rules.maybe import UNKNOWN, Maybe, Place, Texts, Word, needs

Scope = Mapping[str, Place | None]
"""Local names, each with the JSON that it stands for a part of."""

_PLAIN = re.compile(r"[A-Za-z0-9_./ -]+")
"""Texts that JSON writes as they are."""

_INDEX = frozenset(("_[_]", "_?._", "_[?_]"))


def place(node: Tree, scope: Scope) -> Place | None:
    """The JSON that `node` is a part of, found by names and positions alone."""
    if path_of(node, frozenset(scope)) == ("event", "annotations"):
        return "annotations"
    match node:
        case Ident(name=name):
            return scope.get(name, "object" if name in OBJECT_ROOTS else None)
        case Select(operand=operand, test=False):
            return place(operand, scope)
        case Call(function=function, args=(operand, _)) if function in _INDEX:
            return place(operand, scope)
    return None


def present(node: Tree, scope: Scope) -> Maybe:
    """What must be there for `node` to have a value, or for `has(...)` to be true."""
    operand, name = _field(node)
    return UNKNOWN if operand is None else _word(place(operand, scope), f'"{name}":')


def equal(node: Tree, value: object, scope: Scope) -> Maybe:
    """What must be there for `node` to equal `value`, a constant."""
    operand, name = _field(node)
    if operand is None:
        return holding(node, value, scope)
    where = place(operand, scope)
    if isinstance(value, bool):
        return _word(where, f'"{name}":{"true" if value else "false"}')
    if isinstance(value, int):
        return _word(where, f'"{name}":{value}')
    if isinstance(value, str) and _is_plain(value):
        return _word(where, f'"{name}":"{value}"')
    return present(node, scope)


def holding(node: Tree, text: object, scope: Scope) -> Maybe:
    """What must be there for `node` to be a text with `text` in it, or a list or map with it."""
    if isinstance(text, str) and _is_plain(text):
        return _word(place(node, scope), text)
    return UNKNOWN


def all_found(clauses: Sequence[Texts], data: bytes) -> bool:
    """Whether a word of each clause stands in `data`."""
    return all(any(text in data for text in clause) for clause in clauses)


def _field(node: Tree) -> tuple[Tree | None, str]:
    """What `node` selects a field of, and the field's name, if that is written as it is."""
    match node:
        case Select(operand=operand, field=name) if _is_plain(name):
            return operand, name
        case Call(function=function, args=(operand, Const(value=str(name)))):
            if function in _INDEX and _is_plain(name):
                return operand, name
    return None, ""


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None


def _word(where: Place | None, text: str) -> Maybe:
    return UNKNOWN if where is None else needs(Word(where, text.encode()))
