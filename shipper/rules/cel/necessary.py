"""What must hold for an expression to be true, as far as its tree alone says it. Pure.

Sound, not complete: where a path is named, the expression is true for no other value of it; what is
not named may still be necessary. So an index may leave out what these conditions exclude.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from shipper.rules.cel.paths import NO_NAMES, Names, Path, path_of
from shipper.rules.cel.tree import Call, Comprehension, Const, ListOf, Tree

Conditions: TypeAlias = Mapping[Path, frozenset[str]]

NEVER = None
"""The conditions of what is never true."""


def necessary(tree: Tree) -> Conditions:
    """For each path that is bound to texts: those that it may have.

    `event.verb == "create" && event.objectRef.resource in ["pods", "nodes"]` gives
    `{("event", "verb"): {"create"}, ("event", "objectRef", "resource"): {"pods", "nodes"}}`. An
    expression that is never true gives one path with no values: `{(): {}}`.
    """
    found = _necessary(tree, NO_NAMES)
    return {(): frozenset()} if found is NEVER else found


def _necessary(node: Tree, local: Names) -> Conditions | None:
    match node:
        case Const(value=False):
            return NEVER
        case Call(function="_&&_", args=(left, right)):
            return _both(_necessary(left, local), _necessary(right, local))
        case Call(function="_||_", args=(left, right)):
            return _either(_necessary(left, local), _necessary(right, local))
        case Call(function="_?_:_", args=(test, yes, no)):
            chosen = _both(_necessary(test, local), _necessary(yes, local))
            return _either(chosen, _necessary(no, local))
        case Call(function="_==_", args=(left, right)):
            return dict((*_equal(left, right, local), *_equal(right, left, local)))
        case Call(function="@in", args=(value, ListOf(elements=elements))):
            return _member(value, elements, local)
        case Comprehension(range=ListOf(elements=())):  # cel.bind
            return _necessary(node.result, local | {node.accu})
    return {}


def _equal(value: Tree, constant: Tree, local: Names) -> Iterator[tuple[Path, frozenset[str]]]:
    path = path_of(value, local)
    if path is not None and isinstance(constant, Const) and isinstance(constant.value, str):
        yield path, frozenset((constant.value,))


def _member(value: Tree, elements: tuple[Tree, ...], local: Names) -> Conditions:
    path = path_of(value, local)
    texts = [e.value for e in elements if isinstance(e, Const) and isinstance(e.value, str)]
    if path is None or len(texts) < len(elements):
        return {}
    return {path: frozenset(texts)}


def _both(left: Conditions | None, right: Conditions | None) -> Conditions | None:
    if left is NEVER or right is NEVER:
        return NEVER
    met = {path: right.get(path, values) & values for path, values in left.items()}
    return {**right, **met}


def _either(left: Conditions | None, right: Conditions | None) -> Conditions | None:
    if left is NEVER or right is NEVER:
        return right if left is NEVER else left
    return {path: values | right[path] for path, values in left.items() if path in right}
