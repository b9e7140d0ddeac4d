"""One expression made of several: what a policy has named is bound around what asks for it.

`variables.x` of an admission policy, or its parameters, become bindings (`cel.bind`) of one tree,
which the engine evaluates when they are first asked for, once. So all that a policy says of an
object is asked with the same activation, and no value goes to Python and back between.

Names are never confused: a binding stands around the whole expression, where no macro has named
anything yet. Pure; evaluates nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

from shipper.rules.cel.activation import cleaned
from shipper.rules.cel.paths import NO_NAMES, Names, free_names, path_of, scopes
from shipper.rules.cel.program import Expect
from shipper.rules.cel.tree import (
    Call,
    Comprehension,
    Const,
    Entry,
    Ident,
    ListOf,
    MapOf,
    Select,
    Tree,
    children,
    rebuilt,
    walk,
)
from shipper.rules.cel.wire import message, varint

_CHECKED_AND_OPTIONAL = {"_?._": True, "_[?_]": True, "_[_]": False}
_DOUBLE = varint(5 << 3 | 1)  # Constant.double_value, a fixed 64-bit field


class Part(NamedTuple):
    """A checked expression that may be named by others, or may name them."""

    tree: Tree
    references: Mapping[int, bytes]
    """What the checker found, by the id of a node: cel.expr.Reference messages."""
    optional: frozenset[int]
    """The ids of the nodes that the checker knows to be optional."""
    free: Names
    """The variables it speaks of; those that stand alone by their whole names, `variables.x`."""
    nodes: int
    """How large the tree is."""
    text: str = ""
    """What it was checked from, to tell its own words from the data's."""
    expect: Expect = "any"


def part(
    tree: Tree,
    *,
    references: Mapping[int, bytes],
    optional: frozenset[int],
    alone: Collection[str],
) -> Part:
    """`alone` are members that are variables of their own: `variables.x`, `request.userInfo`."""
    members = {name for name in alone if "." in name}
    if members:
        tree = _standing_alone(tree, members, NO_NAMES)
        made = {node.id for node in walk(tree) if isinstance(node, Ident) and node.name in members}
        references = {number: of for number, of in references.items() if number not in made}
    return Part(tree, references, optional, free_names(tree, NO_NAMES), _nodes(tree))


def constant(value: Any) -> Part:
    """A plain JSON value as a part."""
    tree = _literal(cleaned(value), count(1))
    return Part(tree, {}, frozenset(), NO_NAMES, _nodes(tree))


def composed(main: Part, named: Mapping[str, Part]) -> Part:
    """`main` with all of `named` around it that it asks for, by itself or by others.

    Each may ask for those before it; what is left to be asked of an activation is `free`.
    """
    for name in needed(main, named):
        main = _bound(name, named[name], main)
    return main


def needed(main: Part, named: Mapping[str, Part]) -> list[str]:
    """Those of `named` that `main` asks for, by itself or by others; the last first."""
    free, found = main.free, []
    for name in reversed(tuple(named)):
        if name in free:
            found.append(name)
            free = free - {name} | named[name].free
    return found


def _bound(name: str, value: Part, body: Part) -> Part:
    ids = _ids_after(body.tree)
    shift = next(ids)
    value_tree = _shifted(value.tree, shift)
    ids = _ids_after(value_tree)
    tree = Comprehension(
        next(ids),
        name="#unused",
        second_name="",
        range=ListOf(next(ids), ()),
        accu=name,
        start=value_tree,
        condition=Const(next(ids), False, message([(2, 0)])),
        step=Ident(next(ids), name),
        result=body.tree,
    )
    moved = {number + shift: reference for number, reference in value.references.items()}
    optional = body.optional | {number + shift for number in value.optional}
    return body._replace(
        tree=tree,
        references={**body.references, **moved},
        optional=optional,
        free=body.free - {name} | value.free,
        nodes=body.nodes + value.nodes,
        text=f"{body.text}\n{value.text}",
    )


def _nodes(tree: Tree) -> int:
    return sum(1 for _ in walk(tree))


def _ids_after(tree: Tree) -> Iterator[int]:
    return count(1 + max(_every_id(tree)))


def _every_id(tree: Tree) -> Iterator[int]:
    for node in walk(tree):
        yield node.id
        if isinstance(node, MapOf):
            yield from (entry.id for entry in node.entries)


def _shifted(node: Tree, by: int) -> Tree:
    """`node` with other ids: an id names one node of a tree."""
    node = rebuilt(node, [_shifted(child, by) for child in children(node)])
    if isinstance(node, MapOf):
        node = replace(node, entries=tuple(replace(e, id=e.id + by) for e in node.entries))
    return replace(node, id=node.id + by)


def _standing_alone(node: Tree, members: Collection[str], local: Names) -> Tree:
    """`request.userInfo` as one variable, however it is written."""
    path = path_of(node, local)
    if path is not None and len(path) == 2 and ".".join(path) in members:
        return _alone(node, ".".join(path))
    parts = [_standing_alone(child, members, names) for child, names in scopes(node, local)]
    return rebuilt(node, parts)


def _alone(node: Tree, name: str) -> Tree:
    if isinstance(node, Select) and node.test:  # has(): a variable is there
        return Const(node.id, True, message([(2, 1)]))
    if isinstance(node, Call) and _CHECKED_AND_OPTIONAL[node.function]:
        return Call(node.id, "optional.of", (Ident(node.args[0].id, name),))
    return Ident(node.id, name)


def _kind_of(value: bool | int | str) -> int:
    """The field of cel.expr.Constant."""
    if isinstance(value, str):
        return 6
    if isinstance(value, bool):
        return 2
    return 3 if value < 1 << 63 else 4


def _literal(value: Any, ids: Iterator[int]) -> Tree:
    number = next(ids)
    match value:
        case dict():
            entries = (
                Entry(next(ids), _literal(key, ids), _literal(item, ids), optional=False)
                for key, item in value.items()
            )
            return MapOf(number, tuple(entries))
        case list():
            return ListOf(number, tuple(_literal(item, ids) for item in value))
        case float():
            return Const(number, value, _DOUBLE + struct.pack("<d", value))
        case bool() | int() | str():
            kind = _kind_of(value)
            return Const(number, value, message([(kind, value)]))
    return Const(number, None, message([(1, 0)]))
