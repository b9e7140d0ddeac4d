"""The value of an expression that is the same for every event: literals, parameters, sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shipper.rules.cel.tree import Call, Const, Ident, ListOf, Select, Tree


class _NotConstant:
    """It depends on the event, or is of a kind that is not understood."""


NOT_CONSTANT = _NotConstant()


def constant(node: Tree, params: Mapping[str, Any]) -> Any:
    """The value of `node`, or NOT_CONSTANT."""
    match node:
        case Const(value=value):
            return value
        case Select(operand=Ident(name="params"), field=name, test=False) if name in params:
            return params[name]
        case ListOf(elements=elements, optional=()):
            values = [constant(element, params) for element in elements]
            return NOT_CONSTANT if NOT_CONSTANT in values else values
        case (
            Call(function="size", target=None, args=(of,))
            | Call(function="size", target=of, args=())
        ):
            many = constant(of, params) if of is not None else NOT_CONSTANT
            return len(many) if isinstance(many, list | dict) else NOT_CONSTANT
    return NOT_CONSTANT
