"""From what an expression may say to what the engine is asked to run.

Three changes, none of which an expression can see: functions of the engine that have no bound give
way to ours, which are named with an `@`; so do functions whose overloads the engine can not tell
apart by the data alone; and a function of ours that has an optional result, which Python can not
return, gets it around its call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shipper.rules.cel.library import FUNCTIONS
from shipper.rules.cel.library.function import CIDR, IP
from shipper.rules.cel.tree import Call, Tree, children, rebuilt

Overloads = Mapping[int, frozenset[str]]
"""By the id of a call: the overloads that the checker found it may mean."""

_BY_OVERLOAD = {
    f"string({IP})": "@string",
    f"string({CIDR})": "@string",
    "list<duration>.sum()": "@sum.duration",
    **{
        f"list<{of}>.{name}()": f"@{name}.{of}"
        for of in ("duration", "timestamp")
        for name in ("min", "max")
    },
}
"""Where the checker has found one overload, and Python needs to know which."""

AMBIGUOUS = frozenset(("string", "sum", "min", "max"))
"""The names of those."""

_REPLACED = frozenset(f.name[1:] for f in FUNCTIONS if f.name[0] == "@") - {"string"}
_OPTIONAL = frozenset(f.name for f in FUNCTIONS if f.optional)


def lowered(tree: Tree, overloads: Overloads, ids: Iterator[int]) -> Tree:
    """The tree to run. `overloads` need only have the calls of ambiguous names."""

    def lower(node: Tree) -> Tree:
        node = rebuilt(node, [lower(child) for child in children(node)])
        if not isinstance(node, Call):
            return node
        node = _renamed(node, overloads.get(node.id, frozenset()))
        if node.function in _OPTIONAL:
            return Call(next(ids), "optional.ofNonZeroValue", (node,))
        return node

    return lower(tree)


def _renamed(call: Call, overloads: frozenset[str]) -> Call:
    if call.function in AMBIGUOUS:
        names = {_BY_OVERLOAD.get(overload, call.function) for overload in overloads}
        return call.renamed(names.pop()) if len(names) == 1 else call
    return call.renamed(f"@{call.function}") if call.function in _REPLACED else call
