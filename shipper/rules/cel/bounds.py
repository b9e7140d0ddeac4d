"""What the engine's functions read and make, at most. Tables only; cost.py makes use of them.

A function that is in none of them reads all its operands, and its result is as large as all of them
together.
"""

from __future__ import annotations

COMPARISONS = frozenset(
    ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith")
)  # fmt: skip
"""They stop where the shorter operand ends."""

INDEXING = frozenset(("_[_]", "_?._", "_[_?_]", "_[?_]"))
"""Their result is a part of the first operand."""

UNREAD = INDEXING | frozenset((
    "!_", "-_", "_-_", "_*_", "_/_", "_%_", "_&&_", "_||_", "_?_:_", "@not_strictly_false",
    "type", "dyn", "int", "uint", "double", "bool", "optional.none", "optional.of", "hasValue",
    "value", "or", "orValue", "first", "last", "getFullYear", "getMonth", "getDate",
    "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds",
    "getMilliseconds", "@matches", "find", "findAll", "@contains", "@indexOf", "@lastIndexOf",
    "@replace", "@split",
))  # fmt: skip
"""They read no operand from end to end, or pay for it themselves."""

SCALAR = COMPARISONS | frozenset((
    "@in", "!_", "-_", "_-_", "_*_", "_/_", "_%_", "_&&_", "_||_", "@not_strictly_false",
    "size", "contains", "@contains", "@matches", "@indexOf", "@lastIndexOf", "@sets.contains",
    "@sets.equivalent", "@sets.intersects", "hasValue", "type", "int", "uint", "double", "bool",
))  # fmt: skip
"""Their result is no larger than a number."""

PAYING = frozenset((
    "@replace", "@split", "@join", "@distinct", "@lists.range", "findAll", "cel.@mapInsert",
))  # fmt: skip
"""Functions in Python whose result may be larger than the operands; they pay for it."""

FACTORS = {"flatten": 8, "format": 2, "string": 4, "strings.quote": 2}
"""How many bytes of the result a byte of the operands may come to."""

FORMAT_OF_DATA = 150
"""The same of `format` where the format itself comes from an event."""

ELEMENT_BYTES = 16
"""What an element of a list takes by itself."""
