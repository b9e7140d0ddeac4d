"""Functions that the engine has, and the checker must be told anew.

The engine lets a name be declared only once, so where Kubernetes adds an overload (`indexOf` on
lists, `string(ip)`), all of them are declared here. Source: google/cel-spec; google/cel-go, strings
extension, version 2, which is the one that Kubernetes has.
"""

from __future__ import annotations

from typing import NamedTuple

from shipper.rules.cel.library.function import CIDR, IP

_PLAIN = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")


class Declared(NamedTuple):
    """An overload: as library.function.Function, without what it does."""

    name: str
    receiver: str
    parameters: tuple[str, ...]
    returns: str


EXCLUDED = ("string",)
"""Functions of the standard library that are declared here instead."""

DECLARED = (
    *(Declared("string", "", (of,), "string") for of in (*_PLAIN, IP, CIDR)),
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
