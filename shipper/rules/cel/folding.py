"""What of an expression is known before anything is asked: constants in their places.

A policy's parameters are constants of its expressions (parts.py), and what is done with them are
mostly searches: `params.words.exists(w, name.contains(w))`. Put in, and such a loop unrolled, each
search has a literal, which the engine does by itself: a call of Python costs ten times as much.
Changes no answer; evaluates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from shipper.rules.cel.bounds import INDEXING
from shipper.rules.cel.paths import NO_NAMES, free_names
from shipper.rules.cel.tree import (
    Call,
    Comprehension,
    Const,
    Ident,
    ListOf,
    MapOf,
    Select,
    Tree,
    children,
    rebuilt,
    walk,
)
from shipper.rules.cel.wire import message

Known: TypeAlias = Mapping[str, Tree]

_SHORT_TEXT_CHARS = 64
"""What the engine may look for in a text itself: it may take the product of both sizes."""

_MAX_PUT_IN_NODES = 64
"""A larger constant stays in one place, bound."""

_MAX_UNROLLED_NODES = 4096
_SEARCHES = frozenset(("@contains", "@matches"))
_META = frozenset("\\.+*?()|[]{}^$")


def folded(tree: Tree, ids: Iterator[int]) -> tuple[Tree, Mapping[int, int]]:
    """The tree with what is known put in; of each node that was copied: whose copy it is."""
    folder = _Folder(ids)
    return folder.fold(tree, {}), folder.copies


class _Folder:
    def __init__(self, ids: Iterator[int]) -> None:
        self.copies: dict[int, int] = {}
        self._ids = ids

    def fold(self, node: Tree, known: Known) -> Tree:
        """`known` are the constants by the names that stand for them here."""
        constant = _constant(node, known)
        if constant is not None and _is_small(constant, _MAX_PUT_IN_NODES):
            return self._copy(constant)
        match node:
            case Select(test=True):
                return self._has(node, known)
            case Comprehension(condition=Const(value=False)):
                return self._bind(node, known)
            case Comprehension():
                return self._loop(node, known)
        node = rebuilt(node, [self.fold(child, known) for child in children(node)])
        return _natively(node) if isinstance(node, Call) else node

    def _has(self, node: Select, known: Known) -> Tree:
        value = _constant(node.operand, known)
        if isinstance(value, MapOf):
            there = _member(value, node.field) is not None
            return Const(node.id, there, message([(2, int(there))]))
        return replace(node, operand=self.fold(node.operand, known))

    def _bind(self, node: Comprehension, known: Known) -> Tree:
        start = self.fold(node.start, known)
        within = {name: value for name, value in known.items() if name != node.accu}
        if _is_constant(start):
            within[node.accu] = start
        result = self.fold(node.result, within)
        if _is_constant(start) and node.accu not in free_names(result, NO_NAMES):
            return result
        return replace(node, start=start, result=result)

    def _loop(self, node: Comprehension, known: Known) -> Tree:
        local = (node.name, node.second_name, node.accu)
        within = {name: value for name, value in known.items() if name not in local}
        folded_range = self.fold(node.range, known)
        unrolled = self._unrolled(node, folded_range, within)
        if unrolled is not None:
            return unrolled
        return replace(
            node,
            range=folded_range,
            start=self.fold(node.start, known),
            condition=self.fold(node.condition, within),
            step=self.fold(node.step, within),
            result=self.fold(node.result, within),
        )

    def _unrolled(self, node: Comprehension, over: Tree, within: Known) -> Tree | None:
        """`all` and `exists` over literals as a chain, where that makes searches for literals."""
        match node:
            case Comprehension(
                second_name="",
                start=Const(value=bool()),
                step=Call(function="_&&_" | "_||_" as joins, args=(Ident(name=accu), body)),
                result=Ident(name=result),
            ) if accu == result == node.accu:
                pass
            case _:
                return None
        if not isinstance(over, ListOf) or over.optional or not over.elements:
            return None
        nodes = sum(1 for _ in walk(body)) * len(over.elements)
        is_plain = all(isinstance(element, Const) for element in over.elements)
        if nodes > _MAX_UNROLLED_NODES or not (is_plain and _searches(body, node.name)):
            return None
        turns = [
            self.fold(self._copy(body), {**within, node.name: element}) for element in over.elements
        ]
        return self._chain(joins, turns)

    def _chain(self, joins: str, turns: list[Tree]) -> Tree:
        """Halved again and again: the engine takes no deep trees."""
        if len(turns) == 1:
            return turns[0]
        half = len(turns) // 2
        sides = self._chain(joins, turns[:half]), self._chain(joins, turns[half:])
        return Call(next(self._ids), joins, sides)

    def _copy(self, node: Tree) -> Tree:
        node = rebuilt(node, [self._copy(child) for child in children(node)])
        if isinstance(node, MapOf):
            entries = (replace(entry, id=next(self._ids)) for entry in node.entries)
            node = replace(node, entries=tuple(entries))
        number = next(self._ids)
        self.copies[number] = self.copies.get(node.id, node.id)
        return replace(node, id=number)


def _constant(node: Tree, known: Known) -> Tree | None:
    """The constant that `node` is a path to."""
    match node:
        case Ident():
            return known.get(node.name)
        case Select(test=False):
            key = node.field
            value = _constant(node.operand, known)
        case Call(function="_[_]", args=(operand, Const(value=str(key)))):
            value = _constant(operand, known)
        case _:
            return None
    return _member(value, key) if isinstance(value, MapOf) else None


def _member(value: MapOf, key: str) -> Tree | None:
    for entry in value.entries:
        if isinstance(entry.key, Const) and entry.key.value == key:
            return entry.value
    return None


def _is_constant(node: Tree) -> bool:
    match node:
        case Const():
            return True
        case ListOf(optional=()) | MapOf():
            plain = not any(e.optional for e in node.entries) if isinstance(node, MapOf) else True
            return plain and all(map(_is_constant, children(node)))
    return False


def _is_small(node: Tree, nodes: int) -> bool:
    return all(number < nodes for number, _ in enumerate(walk(node)))


def _searches(body: Tree, name: str) -> bool:
    return any(
        isinstance(node, Call)
        and node.function in _SEARCHES
        and any(isinstance(arg, Ident) and arg.name == name for arg in node.args)
        for node in walk(body)
    )


def _natively(call: Call) -> Call:
    """A search for a short literal, by the engine; but not in what a computed key stands for.

    The size of that is known to our function alone. A regular expression without a special
    character is a literal.
    """
    match call:
        case Call(function="@contains" | "@matches", target=target, args=(Const(value=str(text)),)):
            plain = call.function == "@contains" or not _META & set(text)
            indexed = isinstance(target, Call) and target.function in INDEXING
            if target is not None and plain and len(text) <= _SHORT_TEXT_CHARS and not indexed:
                return call.renamed("contains")
    return call
