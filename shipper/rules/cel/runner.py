"""The runner: what checked expressions are run by. It has every function, and checks nothing.

Its types are those that Python can give it: a value of an opaque type is a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
from cel_expr_python import cel

from shipper.rules.cel.calls import callable_by_engine
from shipper.rules.cel.checker import EXTENSIONS
from shipper.rules.cel.cost import BUILDING_ROUND, MAX_ROUNDS, round_of
from shipper.rules.cel.library import EVERY
from shipper.rules.cel.library.function import CallError, Function
from shipper.rules.cel.meter import METER

_ANY = cel.Type("google.protobuf.Any")
"""The type of a parameter that takes whatever value; an overload with DYN is never found."""

_KINDS = {
    "bool": cel.Type.BOOL,
    "bytes": cel.Type.BYTES,
    "double": cel.Type.DOUBLE,
    "duration": cel.Type.DURATION,
    "int": cel.Type.INT,
    "list": cel.Type.LIST,
    "map": cel.Type.MAP,
    "string": cel.Type.STRING,
    "timestamp": cel.Type.TIMESTAMP,
    "uint": cel.Type.UINT,
}


class _Shape(NamedTuple):
    """By what the engine tells one implementation from another."""

    name: str
    member: bool
    kinds: tuple[str, ...]


def runner() -> Any:
    """An engine environment that runs what the checker has passed."""
    config = {"extensions": [{"name": name} for name in (*EXTENSIONS, "strings")]}
    return cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(msgspec.json.encode(config).decode()),
        functions=[*_declarations(), *_looks_at_the_meter()],
    )


def _declarations() -> Iterator[Any]:
    """One declaration for each name; one overload for each shape of its functions."""
    shaped = sorted((_shape(function), at) for at, function in enumerate(EVERY))
    for name, of_name in groupby(shaped, lambda item: item[0].name):
        overloads = [
            _overload(shape, [EVERY[at] for _, at in same])
            for shape, same in groupby(of_name, lambda item: item[0])
        ]
        yield cel.FunctionDecl(name, overloads)


def _shape(function: Function) -> _Shape:
    receiver = (function.receiver,) if function.receiver else ()
    kinds = tuple(_kind(of) for of in (*receiver, *function.parameters))
    return _Shape(function.name, bool(receiver), kinds)


def _kind(checked_type: str) -> str:
    outer = checked_type.partition("<")[0]
    if outer == "dyn" or outer.startswith("~"):
        return "dyn"
    return outer if outer in _KINDS else "string"


def _overload(shape: _Shape, functions: list[Function]) -> Any:
    return cel.Overload(
        id=f"{shape.name}({', '.join(shape.kinds)}){' of a value' if shape.member else ''}",
        return_type=_returned(functions),
        parameters=[_KINDS.get(kind, _ANY) for kind in shape.kinds],
        is_member=shape.member,
        impl=callable_by_engine(_implementation(functions), len(shape.kinds)),
    )


def _returned(functions: Iterable[Function]) -> Any:
    kinds = {_kind(function.returns) for function in functions}
    return _KINDS.get(kinds.pop(), cel.Type.DYN) if len(kinds) == 1 else cel.Type.DYN


def _implementation(functions: list[Function]) -> Any:
    """What does the call; where the opaque type of the receiver decides, it is looked up."""
    calls = {function.receiver: function.call for function in functions}
    if len(set(calls.values())) == 1:
        return functions[0].call

    def call(value: str, *arguments: Any) -> Any:
        chosen = calls.get(value.partition(":")[0])
        if chosen is None:
            raise CallError("no such overload")
        return chosen(value, *arguments)

    return call


def _looks_at_the_meter() -> Iterator[Any]:
    look = callable_by_engine(METER.building_round, 2)
    overload = cel.Overload(
        BUILDING_ROUND, cel.Type.BOOL, [cel.Type.INT, cel.Type.INT], False, look
    )
    yield cel.FunctionDecl(BUILDING_ROUND, [overload])
    for loop in range(MAX_ROUNDS):
        # Without arguments, and with a result that lives for ever, there is nothing to settle.
        name, plain_look = round_of(loop), partial(METER.round, loop)
        overload = cel.Overload(name, cel.Type.BOOL, [], False, plain_look)
        yield cel.FunctionDecl(name, [overload])
