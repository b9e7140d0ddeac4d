"""From CEL text to a checked program: which variables and functions there are.

Refuses at compile time what can be refused there: syntax, unknown names, wrong types. Evaluates
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cel_expr_python import cel

from shipper.rules.cel.activation import Activation
from shipper.rules.cel.checker import checker
from shipper.rules.cel.cost import metered
from shipper.rules.cel.library.authorizer import AUTHORIZER, RESOURCE
from shipper.rules.cel.lowering import AMBIGUOUS, lowered
from shipper.rules.cel.optionals import misplaced
from shipper.rules.cel.program import Expect, Program, without_status
from shipper.rules.cel.runner import runner
from shipper.rules.cel.tree import Tree, decode, encode, free_ids
from shipper.rules.cel.wire import Message, message

VARIABLES = (
    "event",
    "object",
    "oldObject",
    "request",
    "namespaceObject",
    "authorizer",
    "params",
    "podSpec",
    "containers",
    "fields",
    "body",
)
"""What a rule may speak of; each may be left unbound in an activation."""

_TYPES = {"authorizer": AUTHORIZER, "authorizer.requestResource": RESOURCE}
"""Of all other variables only the data says what they are."""

MAX_TEXT_CHARS = 32 * 1024
"""A longer text is refused; the longest in the policy libraries that people use has 5,000."""

_ANY_TYPE, _ANY_VALUE = 1, 2  # google.protobuf.Any
_REFERENCES, _TYPES_BY_ID, _EXPR, _SOURCE = 2, 3, 4, 5  # cel.expr.CheckedExpr
_KEY, _VALUE = 1, 2  # an entry of its maps
_OVERLOADS, _POSITIONS = 3, 4  # cel.expr.Reference, cel.expr.SourceInfo
_ABSTRACT, _NAME = 14, 1  # cel.expr.Type, of an opaque type

_PLACE = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_CONTAINER = " (in container '')"


class CompileError(Exception):
    """The text is no expression that can be asked. `line` and `column` count from 1 within it."""

    def __init__(self, line: int, column: int, reason: str) -> None:
        super().__init__(f"{line}:{column}: {reason}")
        self.line = line
        self.column = column
        self.reason = reason


class Environment:
    """The names that expressions may use. Built once; compiling changes nothing in it."""

    def __init__(self, variables: Iterable[str] = VARIABLES) -> None:
        names = set(variables)
        if "authorizer" in names:
            names.add("authorizer.requestResource")
        self._checker = checker({name: _TYPES.get(name, "dyn") for name in names})
        self._runner = runner()

    def compile(self, text: str, *, expect: Expect = "bool") -> Program:
        """The program of `text`.

        `bool`: the checker must find bool, or a type that only the data decides. `string`: any
        type that has a text form, which is then the value. `any`: any type. Raises CompileError.
        """
        if len(text) > MAX_TEXT_CHARS:
            raise CompileError(1, 1, f"longer than {MAX_TEXT_CHARS} characters")
        try:
            checked = self._checker.compile(text)
            found = checked.return_type()
        except (RuntimeError, ValueError, LookupError) as error:
            raise _refusal(str(error)) from None
        _expected(found, expect)
        return self._program(text, Message(checked.serialize()), expect=expect)

    def activation(self, variables: Mapping[str, object], *, clean: bool = False) -> Activation:
        """Plain JSON values, ready for every program of one event. What is left out is unbound.

        To be used in the thread that has made it. `clean`: the caller knows that no text in them
        has a NUL or a lone surrogate; a line without ``\\u0000`` that msgspec has read has none.
        """
        return Activation(variables, self._runner, clean=clean)

    def _program(self, text: str, checked_any: Message, *, expect: Expect) -> Program:
        checked = Message(checked_any.body(_ANY_VALUE))
        references = checked.bodies(_REFERENCES)
        try:
            tree = decode(checked.body(_EXPR))
            _refuse_misplaced_optionals(text, tree, checked)
            ids = free_ids(tree)
            ambiguous = any(name in text for name in AMBIGUOUS)
            overloads = dict(map(_overloads, references)) if ambiguous else {}
            run, bill = metered(lowered(tree, overloads, ids), ids)
            parts = [*((_REFERENCES, reference) for reference in references), (_EXPR, encode(run))]
        except RecursionError:
            raise CompileError(1, 1, "nested too deeply") from None
        except ValueError as error:
            raise CompileError(1, 1, str(error)) from None
        any_ = [(_ANY_TYPE, checked_any.body(_ANY_TYPE)), (_ANY_VALUE, message(parts))]
        try:
            native = self._runner.deserialize(message(any_))
        except ValueError:
            raise CompileError(1, 1, "nested too deeply") from None
        return Program(native, text, tree=tree, bill=bill, expect=expect)


def _refuse_misplaced_optionals(text: str, tree: Tree, checked: Message) -> None:
    types = map(Message, checked.bodies(_TYPES_BY_ID))
    typed = {entry.number(_KEY) for entry in types if _is_optional(entry.body(_VALUE))}
    if not typed and "?" not in text:
        return
    for node in misplaced(tree, typed):
        places = map(Message, Message(checked.body(_SOURCE)).bodies(_POSITIONS))
        offset = {place.number(_KEY): place.number(_VALUE) for place in places}.get(node.id, 0)
        line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
        raise CompileError(line, column, "an optional cannot stand here: end with orValue()")


def _is_optional(checked_type: bytes) -> bool:
    return Message(Message(checked_type).body(_ABSTRACT)).text(_NAME) == "optional_type"


def _overloads(entry: bytes) -> tuple[int, frozenset[str]]:
    parts = Message(entry)
    overloads = Message(parts.body(_VALUE)).bodies(_OVERLOADS)
    return parts.number(_KEY), frozenset(overload.decode() for overload in overloads)


def _expected(found: Any, expect: Expect) -> None:
    if expect == "bool" and found not in (cel.Type.BOOL, cel.Type.DYN):
        raise CompileError(1, 1, f"must be bool, but is {found.name().lower()}")
    if expect == "string" and found.name().startswith("optional_type"):
        raise CompileError(1, 1, "must not be optional: end with orValue()")


def _refusal(message: str) -> CompileError:
    place = _PLACE.search(message)
    if place is None:
        return CompileError(1, 1, without_status(message.splitlines()[0]))
    line, column = max(int(place[1]), 1), max(int(place[2]), 1)
    return CompileError(line, column, without_status(place[3].replace(_CONTAINER, "")))
