"""Words that must stand in a body's bytes before an expression over it can be true.

`has(c.privileged) && c.privileged` can not be true of a body without `"privileged":true`: most
bodies need not be decoded to know that. Relies on how the API server writes JSON (no blanks between
tokens, no escaped letters); where a body looks otherwise, everything may be true of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shipper.rules.cel.tree import Call, Const, Ident, Select, Tree
from shipper.rules.maybe import UNKNOWN, Maybe, only_if
from shipper.rules.needs import OBJECT_ROOTS
from shipper.rules.terms import Terms

Scope = Mapping[str, bool]
"""Local names, each with whether it stands for a part of the object."""

_PLAIN = re.compile(r"[A-Za-z0-9_./ -]+")
"""Texts that JSON writes as they are."""

_INDEX = frozenset(("_[_]", "_?._", "_[?_]"))
_USUAL = frozenset(
    ("metadata", "spec", "template", "containers", "name", "namespace", "labels", "kind")
)
"""Names that stand in nearly every body, and so tell nothing."""


def is_plain(text: str) -> bool:
    """Whether JSON writes `text` as it is."""
    return _PLAIN.fullmatch(text) is not None


def is_body(node: Tree, scope: Scope) -> bool:
    """Whether `node` is a part of the object, found by names and positions alone."""
    match node:
        case Ident(name=name):
            return scope.get(name, name in OBJECT_ROOTS)
        case Select(operand=operand, test=False):
            return is_body(operand, scope)
        case Call(function=function, args=(operand, _)) if function in _INDEX:
            return is_body(operand, scope)
    return False


def present(node: Tree, scope: Scope) -> Maybe:
    """What must stand in the object for `node`, a field in it, to have a value."""
    name = _field(node, scope)
    return UNKNOWN if name is None or name in _USUAL else _word(f'"{name}":')


def equal(node: Tree, value: object, scope: Scope) -> Maybe:
    """The same for a field that must equal `value`, a constant."""
    name = _field(node, scope)
    if name is None:
        return UNKNOWN
    if isinstance(value, bool):
        return _word(f'"{name}":{"true" if value else "false"}')
    if isinstance(value, int):
        return _word(f'"{name}":{value}')
    if isinstance(value, str) and is_plain(value):
        return _word(f'"{name}":"{value}"')
    return present(node, scope)


def containing(node: Tree, value: object, scope: Scope) -> Maybe:
    """The same for a list that must hold `value`, or a map that must have it as a key."""
    if is_body(node, scope) and isinstance(value, str) and is_plain(value):
        return _word(f'"{value}"')
    return present(node, scope)


def _field(node: Tree, scope: Scope) -> str | None:
    """The name of the field that `node` is in the object; None if it is anything else."""
    match node:
        case Select(operand=operand, field=name) if is_body(operand, scope):
            return name if is_plain(name) else None
        case Call(function=function, args=(operand, Const(value=str(name)))) if function in _INDEX:
            return name if is_body(operand, scope) and is_plain(name) else None
    return None


def _word(text: str) -> Maybe:
    word = text.encode()

    def test(terms: Terms) -> bool:
        raws = terms.object_bytes
        return not raws or any(word in raw for raw in raws)

    return only_if(test)
