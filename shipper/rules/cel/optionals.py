"""Where an optional may stand: not where its type is lost. Pure.

The engine ends the process when it hands a map that holds an optional to Python
(py_cel_value.cc of cel-expr-python 0.1.3 puts a null pointer into the dictionary). So no list, map,
argument or other optional may hold one: `{"a": event.?b}` is refused, `{?"a": event.?b}` is not.
Nothing is lost: nothing could be asked of such a value either.
"""

from __future__ import annotations

from collections.abc import Collection

from shipper.rules.cel.paths import Names
from shipper.rules.cel.tree import (
    Call,
    Comprehension,
    Ident,
    ListOf,
    MapOf,
    Select,
    Tree,
    children,
    rebuilt,
)

_TAKE_OPTIONALS = frozenset((
    "hasValue", "value", "or", "_==_", "_!=_", "_?_:_", "_?._", "_[_]", "_[?_]", "_[_?_]",
))  # fmt: skip
"""Functions that may be given an optional in any place."""


_MAKE_OPTIONALS = frozenset((
    "_?._", "_[?_]", "_[_?_]", "optional.of", "optional.none", "optional.ofNonZeroValue", "or",
    "first", "last", "validate", "format.named",
))  # fmt: skip
"""Functions whose result is one, also where the checker does not know what they are given."""


def misplaced(tree: Tree, typed: Collection[int]) -> list[Tree]:
    """The optionals in `tree` that stand where their type is lost.

    `typed` are the ids of the nodes that the checker knows to be optional. What a choice, a binding
    or an index makes of them it may have lost sight of; here it is followed.
    """
    search = _Search(typed)
    search.may_be_optional(tree, frozenset())
    return search.found


def without_idle_defaults(tree: Tree, typed: Collection[int]) -> Tree:
    """`tree` without each `x.orValue(y)` whose x is no optional: cel-go 0.27 took it for x.

    Kyverno keeps to that. Source: kyverno pkg/cel/compiler/env.go, OrValueCompatEnvOptions.
    """
    search = _Search(typed)
    search.may_be_optional(tree, frozenset())
    return _without(tree, search.idle) if search.idle else tree


def _without(node: Tree, idle: Collection[int]) -> Tree:
    if isinstance(node, Call) and node.id in idle and node.target is not None:
        return _without(node.target, idle)
    return rebuilt(node, [_without(child, idle) for child in children(node)])


class _Search:
    def __init__(self, typed: Collection[int]) -> None:
        self._typed = typed
        self.found: list[Tree] = []
        self.idle: set[int] = set()

    def may_be_optional(self, node: Tree, names: Names) -> bool:
        """Whether `node` may be one, where `names` may be. Adds what is misplaced below it."""
        if isinstance(node, Ident):
            return node.name in names or node.id in self._typed
        if isinstance(node, Comprehension):
            return self._of_comprehension(node, names)
        optional = [self._child(node, child, names) for child in children(node)]
        match node:
            case Call(function="_?_:_"):
                carried = optional[1] or optional[2]
            case Call(function="_[_]") | Select(test=False):
                carried = optional[0]
            case Call():
                carried = node.function in _MAKE_OPTIONALS
                if node.function == "orValue" and node.target is not None and not optional[0]:
                    self.idle.add(node.id)
            case _:
                carried = False
        return carried or node.id in self._typed

    def _of_comprehension(self, node: Comprehension, names: Names) -> bool:
        """A binding is a fold too, of nothing: its result may be what it began with."""
        self._child(node, node.range, names)
        inside = names | {node.accu} if self._child(node, node.start, names) else names
        for part in (node.condition, node.step):
            self._child(node, part, inside)
        return self._child(node, node.result, inside) or node.id in self._typed

    def _child(self, node: Tree, child: Tree, names: Names) -> bool:
        is_optional = self.may_be_optional(child, names)
        if is_optional and not _may_hold(node, child):
            self.found.append(child)
        return is_optional


def _may_hold(node: Tree, child: Tree) -> bool:
    match node:
        case ListOf():
            return any(node.elements[at] is child for at in node.optional)
        case MapOf():
            return any(entry.optional and entry.value is child for entry in node.entries)
        case Call(function="orValue"):
            return child is node.target
        case Call():
            return node.function in _TAKE_OPTIONALS
        case Select() | Comprehension():
            return True
    return False
