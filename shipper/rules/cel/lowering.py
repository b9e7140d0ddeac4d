"""From what an expression may say to what the engine is asked to run.

Three changes, none of which an expression can see: functions of the engine that have no bound give
way to ours, which are named with an `@`; `string()` of an opaque value is ours too; and a function
that Python can not give an optional result gets it around its call.
"""

from __future__ import annotations

from collections.abc import Mapping

from shipper.rules.cel.library import FUNCTIONS
from shipper.rules.cel.library.function import CIDR, IP
from shipper.rules.cel.tree import Call, Const, Tree, children, highest_id, rebuilt

Overloads = Mapping[int, frozenset[str]]
"""By the id of a call: the overloads that the checker found it may mean."""

_REPLACED = frozenset(f.name[1:] for f in FUNCTIONS if f.name[0] == "@") - {"string"}
_OPTIONAL = frozenset(f.name for f in FUNCTIONS if f.optional)
_STRING_OF_OPAQUE = frozenset((f"string({IP})", f"string({CIDR})"))

_SHORT_TEXT_CHARS = 64
"""What the engine may look for in a text itself: it may take the product of both sizes."""


def lowered(tree: Tree, overloads: Overloads) -> Tree:
    """The tree to run."""
    ids = iter(range(highest_id(tree) + 1, 1 << 62))

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
    if call.function == "string":
        ours = bool(overloads) and overloads <= _STRING_OF_OPAQUE
    else:
        ours = call.function in _REPLACED and not _looks_for_short_text(call)
    return call.renamed(f"@{call.function}") if ours else call


def _looks_for_short_text(call: Call) -> bool:
    if call.function != "contains" or not isinstance(call.args[0], Const):
        return False
    wanted = call.args[0].value
    return isinstance(wanted, str) and len(wanted) <= _SHORT_TEXT_CHARS
