"""Falco's `exceptions` of a rule as a condition: what they name does not count.

Fields, operators (`comps`) and tuples of values; as the rule loader of falcosecurity/falco builds
them. Raises ValueError with what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipper.rules.dialects.falco.condition import Check, Junction, Node, parse
from shipper.rules.dialects.falco.fields import Field
from shipper.rules.dialects.walk import text_of

_OPERATORS = frozenset((
    "=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains", "startswith", "endswith",
    "glob", "iglob", "regex", "in", "intersects", "pmatch",
))  # fmt: skip
_OF_SETS = frozenset(("in", "intersects", "pmatch"))


def excepted(written: Mapping[str, Any]) -> Node | None:
    """The condition of one exception; None if it has no values yet."""
    fields, comps, values = written.get("fields"), written.get("comps"), written.get("values")
    if not isinstance(fields, str | list) or not fields:
        raise ValueError("expected fields")
    if values is None or values == []:
        return None
    if not isinstance(values, list):
        raise ValueError("expected values in a list")  # noqa: TRY004 - it is data
    if isinstance(fields, str):
        return _flat(_field(fields), _operator(comps or "in"), values)
    operators = comps if comps is not None else ["="] * len(fields)
    if not isinstance(operators, list) or len(operators) != len(fields):
        raise ValueError("expected as many comps as fields")
    columns = [(_field(f), _operator(o)) for f, o in zip(fields, operators, strict=True)]
    rows = [_row(columns, value) for value in values]
    return rows[0] if len(rows) == 1 else Junction("or", tuple(rows))


def _flat(field: Field, operator: str, values: Sequence[Any]) -> Node:
    """One field, and values that are each enough."""
    texts = tuple(text_of(value) for value in values)
    if operator in _OF_SETS:
        return Check(0, field, operator, texts, lists=True)
    checks = tuple(Check(0, field, operator, (text,)) for text in texts)
    return checks[0] if len(checks) == 1 else Junction("or", checks)


def _row(columns: Sequence[tuple[Field, str]], value: Any) -> Node:
    """Fields all of which must agree with their value."""
    if not isinstance(value, list) or len(value) != len(columns):
        raise ValueError("expected as many values as fields")
    checks = []
    for (field, operator), one in zip(columns, value, strict=True):
        if (operator in _OF_SETS) != isinstance(one, list):
            raise ValueError(f"{operator} goes with {'a list' * (operator in _OF_SETS) or 'a text'}")
        texts = tuple(map(text_of, one)) if isinstance(one, list) else (text_of(one),)
        checks.append(Check(0, field, operator, texts, lists=operator in _OF_SETS))
    return checks[0] if len(checks) == 1 else Junction("and", tuple(checks))


def _field(written: Any) -> Field:
    node = parse(f"{text_of(written)} exists")
    if not isinstance(node, Check) or node.case:
        raise ValueError(f"{text_of(written)} is no field")
    return node.field


def _operator(written: Any) -> str:
    if written not in _OPERATORS:
        raise ValueError(f"{text_of(written)} is no operator")
    return str(written)
