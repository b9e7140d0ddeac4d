"""Functions that the engine has, and the checker must be told anew.

The engine lets a name be declared only once, so where Kubernetes adds an overload (`indexOf` on
lists, `string(ip)`, `1 < 1.5`), all of them are declared here. Source: google/cel-spec;
google/cel-go, strings extension, version 2, which is the one that Kubernetes has.
"""

from __future__ import annotations

from typing import NamedTuple

from shipper.rules.cel.library.function import CIDR, IP

_NUMBERS = ("int", "uint", "double")
_OTHERS = ("bool", "string", "bytes", "timestamp", "duration")
_ORDERED = (
    *((left, right) for left in _NUMBERS for right in _NUMBERS),
    *((of, of) for of in _OTHERS),
)


class Declared(NamedTuple):
    """An overload: as library.function.Function, without what it does."""

    name: str
    receiver: str
    parameters: tuple[str, ...]
    returns: str


_ORDERINGS = ("_<_", "_<=_", "_>_", "_>=_")

EXCLUDED = ("string", *_ORDERINGS)
"""Functions of the standard library that are declared here instead."""

DECLARED = (
    *(Declared("string", "", (of,), "string") for of in (*_NUMBERS, *_OTHERS, IP, CIDR)),
    *(Declared(name, "", sides, "bool") for name in _ORDERINGS for sides in _ORDERED),
    Declared("charAt", "string", ("int",), "string"),
    Declared("format", "string", ("list<dyn>",), "string"),
    Declared("indexOf", "string", ("string",), "int"),
    Declared("indexOf", "string", ("string", "int"), "int"),
    Declared("indexOf", "list<~A>", ("~A",), "int"),
    Declared("join", "list<string>", (), "string"),
    Declared("join", "list<string>", ("string",), "string"),
    Declared("lastIndexOf", "string", ("string",), "int"),
    Declared("lastIndexOf", "string", ("string", "int"), "int"),
    Declared("lastIndexOf", "list<~A>", ("~A",), "int"),
    Declared("lowerAscii", "string", (), "string"),
    Declared("replace", "string", ("string", "string"), "string"),
    Declared("replace", "string", ("string", "string", "int"), "string"),
    Declared("split", "string", ("string",), "list<string>"),
    Declared("split", "string", ("string", "int"), "list<string>"),
    Declared("strings.quote", "", ("string",), "string"),
    Declared("substring", "string", ("int",), "string"),
    Declared("substring", "string", ("int", "int"), "string"),
    Declared("trim", "string", (), "string"),
    Declared("upperAscii", "string", (), "string"),
)
