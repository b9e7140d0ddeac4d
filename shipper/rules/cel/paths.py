"""Which variables an expression speaks of, and which fields of them. Pure; evaluates nothing.

A path is a root variable and the constant names that follow it: `event.objectRef.resource`,
`object.metadata.labels["app"]`. What a macro or `cel.bind` names is no root, and its fields are not
followed: `object.spec.containers.all(c, c.image == "x")` speaks of `object.spec.containers`.
"""

from __future__ import annotations

from collections.abc import Iterator

from shipper.rules.cel.tree import Call, Comprehension, Const, Ident, Select, Tree, children

Path = tuple[str, ...]
Names = frozenset[str]

NO_NAMES: Names = frozenset()
_INDEX = frozenset(("_[_]", "_?._", "_[?_]"))


def paths(tree: Tree) -> frozenset[Path]:
    """Every longest path in `tree`."""
    return frozenset(_paths(tree, NO_NAMES))


def path_of(node: Tree, local: Names) -> Path | None:
    """The path that `node` is, or None if it is anything else. `local` names are no roots."""
    match node:
        case Ident(name=name):
            return None if name in local else tuple(name.split("."))
        case Select():
            operand, key = path_of(node.operand, local), node.field
        case Call(function=function, args=(first, Const(value=str(key)))) if function in _INDEX:
            operand = path_of(first, local)
        case _:
            return None
    return None if operand is None else (*operand, key)


def scopes(node: Tree, local: Names) -> Iterator[tuple[Tree, Names]]:
    """The nodes right below `node`, each with the names that are local there."""
    if not isinstance(node, Comprehension):
        yield from ((child, local) for child in children(node))
        return
    folding = local | {node.accu}
    looping = folding | {node.name, node.second_name}
    yield from ((node.range, local), (node.start, local))
    yield from ((node.condition, looping), (node.step, looping), (node.result, folding))


def free_names(node: Tree, local: Names) -> frozenset[str]:
    """The variables that `node` speaks of, besides those that are `local` to it."""
    if isinstance(node, Ident):
        return NO_NAMES if node.name in local else frozenset((node.name,))
    return NO_NAMES.union(*(free_names(child, names) for child, names in scopes(node, local)))


def _paths(node: Tree, local: Names) -> Iterator[Path]:
    path = path_of(node, local)
    if path is not None:
        yield path
    elif not isinstance(node, Ident):
        for child, names in scopes(node, local):
            yield from _paths(child, names)
