"""Falco's `exceptions` of a rule as a condition: what they name does not count.

Fields, operators (`comps`) and tuples of values; as the rule loader of falcosecurity/falco builds
them. Raises ValueError with what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shipper.rules.dialects.falco.condition import Check, Junction, Node, parse
from shipper.rules.dialects.falco.fields import Field, checked
from shipper.rules.dialects.walk import text_of

_OPERATORS = frozenset((
    "=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains", "startswith", "endswith",
    "glob", "iglob", "regex", "in", "intersects", "pmatch",
))  # fmt: skip
_OF_SETS = frozenset(("in", "intersects", "pmatch"))


def excepted(written: Mapping[str, Any]) -> Node | None:
    """The condition of one exception; None if it has no values yet."""
    fields, comps, values = written.get("fields"), written.get("comps"), written.get("values")
    if not isinstance(written.get("name"), str):
        raise ValueError("expected a name")  # noqa: TRY004 - it is data
    if not isinstance(fields, str | list) or not fields:
        raise ValueError("expected fields")
    if not isinstance(values, list | None):
        raise ValueError("expected values in a list")  # noqa: TRY004 - it is data
    if isinstance(fields, str):
        field, operator = _field(fields), _operator(comps or "in")
        return _flat(field, operator, values) if values else None
    operators = comps if comps is not None else ["="] * len(fields)
    if not isinstance(operators, list) or len(operators) != len(fields):
        raise ValueError("expected as many comps as fields")
    columns = [(_field(f), _operator(o)) for f, o in zip(fields, operators, strict=True)]
    rows = [_row(columns, value) for value in values or ()]
    return Junction("or", tuple(rows)) if rows else None


def _flat(field: Field, operator: str, values: Sequence[Any]) -> Node:
    """One field, and values that are each enough."""
    if operator in _OF_SETS:
        return Check(0, field, operator, _set(values), lists=True)
    return Junction("or", tuple(Check(0, field, operator, (_text(one),)) for one in values))


def _row(columns: Sequence[tuple[Field, str]], value: Any) -> Node:
    """Fields all of which must agree with their value."""
    if not isinstance(value, list) or len(value) != len(columns):
        raise ValueError("expected as many values as fields")
    checks = []
    for (field, operator), one in zip(columns, value, strict=True):
        if operator in _OF_SETS:
            checks.append(Check(0, field, operator, _set(one), lists=True))
        elif isinstance(one, dict | list):
            raise ValueError(f"{operator} goes with a text")
        else:
            checks.append(Check(0, field, operator, (_text(one),)))
    return Junction("and", tuple(checks))


def _set(value: Any) -> tuple[str, ...]:
    """Values, or as Falco takes them too: the name of a list, or a list in parentheses."""
    if isinstance(value, list):
        return tuple(map(_text, value))
    text = text_of(value)
    if not text.startswith("("):
        return (_text(text),)
    node = parse(f"ka.verb in {text}")
    return node.values if isinstance(node, Check) else ()


def _text(value: Any) -> str:
    """A value; quotes around it are Falco's."""
    text = text_of(value)
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text


def _field(written: Any) -> Field:
    node = parse(f"{text_of(written)} exists")
    if not isinstance(node, Check) or node.case:
        raise ValueError(f"{text_of(written)} is no field")
    return checked(node.field)


def _operator(written: Any) -> str:
    if written not in _OPERATORS:
        raise ValueError(f"{text_of(written)} is no operator")
    return str(written)
