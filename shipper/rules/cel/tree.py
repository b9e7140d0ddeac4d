"""The checked syntax tree of an expression, to read and to write.

Judges nothing. The shapes are those of cel/expr/syntax.proto in google/cel-spec; macros are
expanded in it, so that `all`, `map` and their like are comprehensions. Message literals
(`Type{field: value}`) are refused: no rule has messages to speak of.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from operator import is_
from typing import TypeAlias

from shipper.rules.cel.wire import Message, message, varint, varints

Tree: TypeAlias = "Const | Ident | Select | Call | ListOf | MapOf | Comprehension"
Literal: TypeAlias = "bool | int | float | str | bytes | None"

_ID, _CONST, _IDENT, _SELECT, _CALL, _LIST, _MAP, _COMPREHENSION = range(2, 10)


@dataclass(frozen=True, slots=True)
class Const:
    """A literal; `raw` is its own message."""

    id: int
    value: Literal
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ident:
    """A variable of the environment, of a macro, or the result so far of a fold."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or where `test` is set `has(operand.field)`."""

    id: int
    operand: Tree
    field: str
    test: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """`function(args)`, `target.function(args)`, or an operator: `_&&_`, `_==_`, `@in`, `_[_]`."""

    id: int
    function: str
    args: tuple[Tree, ...]
    target: Tree | None = None

    def renamed(self, function: str) -> Call:
        """The same call of another function."""
        return replace(self, function=function)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list literal; `optional` are the positions of its `?` elements."""

    id: int
    elements: tuple[Tree, ...]
    optional: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """`key: value` in a map literal, or where `optional` is set `?key: value`."""

    id: int
    key: Tree
    value: Tree
    optional: bool


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map literal."""

    id: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """A fold: `accu = start; for name in range: if not condition: break; accu = step`."""

    id: int
    name: str
    second_name: str
    range: Tree
    accu: str
    start: Tree
    condition: Tree
    step: Tree
    result: Tree


def integer(id_: int, value: int) -> Const:
    """An int literal."""
    return Const(id_, value, message([(3, value)]))


def children(node: Tree) -> tuple[Tree, ...]:
    """The nodes right below `node`, in the order in which they are evaluated."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.args if node.target is None else (node.target, *node.args)
        case ListOf():
            return node.elements
        case MapOf():
            return tuple(part for entry in node.entries for part in (entry.key, entry.value))
        case Comprehension():
            return (node.range, node.start, node.condition, node.step, node.result)
    return ()


def rebuilt(node: Tree, parts: Sequence[Tree]) -> Tree:
    """`node` with other `children`, given in the order in which `children` gives them."""
    if all(map(is_, parts, children(node))):
        return node
    match node:
        case Select():
            return replace(node, operand=parts[0])
        case Call(target=None):
            return replace(node, args=tuple(parts))
        case Call():
            return replace(node, target=parts[0], args=tuple(parts[1:]))
        case ListOf():
            return replace(node, elements=tuple(parts))
        case MapOf():
            pairs = zip(node.entries, parts[::2], parts[1::2], strict=True)
            entries = (replace(entry, key=key, value=value) for entry, key, value in pairs)
            return replace(node, entries=tuple(entries))
        case Comprehension():
            range_, start, condition, step, result = parts
            return replace(
                node, range=range_, start=start, condition=condition, step=step, result=result
            )
    return node


def walk(node: Tree) -> Iterator[Tree]:
    """`node` and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def free_ids(tree: Tree) -> Iterator[int]:
    """Ids for new nodes: none of them is in `tree`."""
    return count(max(node.id for node in walk(tree)) + 1)


def decode(data: bytes) -> Tree:
    """The tree of an Expr message. Raises ValueError at a message literal."""
    parts = Message(data)
    number = parts.number(_ID)
    for kind, read in _READERS.items():
        if kind in parts:
            return read(number, Message(parts.body(kind)))
    return _const(number, Message(parts.body(_CONST)), parts.body(_CONST))


def encode(node: Tree) -> bytes:
    """The Expr message of a tree."""
    return message([(_ID, node.id), _written(node)])


def _const(number: int, parts: Message, raw: bytes) -> Tree:
    value: Literal = None
    if 2 in parts:
        value = bool(parts.number(2))
    elif 3 in parts or 4 in parts:
        value = parts.number(3) if 3 in parts else parts.number(4) & (1 << 64) - 1
    elif 5 in parts:
        (value,) = struct.unpack("<d", parts.body(5))
    elif 6 in parts:
        value = parts.text(6)
    elif 7 in parts:
        value = parts.body(7)
    return Const(number, value, raw)


def _ident(number: int, parts: Message) -> Tree:
    return Ident(number, parts.text(1))


def _select(number: int, parts: Message) -> Tree:
    return Select(number, decode(parts.body(1)), parts.text(2), bool(parts.number(3)))


def _call(number: int, parts: Message) -> Tree:
    target = decode(parts.body(1)) if 1 in parts else None
    return Call(number, parts.text(2), tuple(map(decode, parts.bodies(3))), target)


def _list(number: int, parts: Message) -> Tree:
    elements = tuple(map(decode, parts.bodies(1)))
    return ListOf(number, elements, tuple(varints(parts.body(2))))


def _map(number: int, parts: Message) -> Tree:
    if 1 in parts:
        raise ValueError(f"message literals are not supported: {parts.text(1)}")
    return MapOf(number, tuple(map(_entry, map(Message, parts.bodies(2)))))


def _entry(parts: Message) -> Entry:
    key, value = decode(parts.body(3)), decode(parts.body(4))
    return Entry(parts.number(1), key, value, bool(parts.number(5)))


def _comprehension(number: int, parts: Message) -> Tree:
    bodies = {at: decode(parts.body(at)) for at in (2, 4, 5, 6, 7)}
    return Comprehension(
        number,
        name=parts.text(1),
        second_name=parts.text(8),
        range=bodies[2],
        accu=parts.text(3),
        start=bodies[4],
        condition=bodies[5],
        step=bodies[6],
        result=bodies[7],
    )


_READERS = {
    _IDENT: _ident,
    _SELECT: _select,
    _CALL: _call,
    _LIST: _list,
    _MAP: _map,
    _COMPREHENSION: _comprehension,
}


def _written(node: Tree) -> tuple[int, bytes]:
    match node:
        case Const():
            return _CONST, node.raw
        case Ident():
            return _IDENT, message([(1, node.name)])
        case Select():
            return _SELECT, message(
                [(1, encode(node.operand)), (2, node.field), *([(3, 1)] if node.test else [])]
            )
        case Call():
            target = [] if node.target is None else [(1, encode(node.target))]
            args = [(3, encode(arg)) for arg in node.args]
            return _CALL, message([*target, (2, node.function), *args])
        case ListOf():
            optional = b"".join(map(varint, node.optional))
            elements = [(1, encode(element)) for element in node.elements]
            return _LIST, message([*elements, (2, optional)])
        case MapOf():
            return _MAP, message([(2, _written_entry(entry)) for entry in node.entries])
        case Comprehension():
            return _COMPREHENSION, message(
                [
                    (1, node.name),
                    (2, encode(node.range)),
                    (3, node.accu),
                    (4, encode(node.start)),
                    (5, encode(node.condition)),
                    (6, encode(node.step)),
                    (7, encode(node.result)),
                    (8, node.second_name),
                ]
            )


def _written_entry(entry: Entry) -> bytes:
    parts: list[tuple[int, int | str | bytes]] = [
        (1, entry.id),
        (3, encode(entry.key)),
        (4, encode(entry.value)),
    ]
    return message([*parts, (5, 1)] if entry.optional else parts)
