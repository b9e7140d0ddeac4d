"""From CEL text to a checked program: which variables and functions there are.

Refuses at compile time what can be refused there: syntax, unknown names, wrong types. Evaluates
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from cel_expr_python import cel

from shipper.rules.cel.activation import Activation
from shipper.rules.cel.checker import checker
from shipper.rules.cel.cost import metered
from shipper.rules.cel.folding import folded
from shipper.rules.cel.library import EVERY
from shipper.rules.cel.library.authorizer import AUTHORIZER, RESOURCE
from shipper.rules.cel.library.kyverno import TYPES
from shipper.rules.cel.lowering import AMBIGUOUS, lowered
from shipper.rules.cel.optionals import misplaced, without_idle_defaults
from shipper.rules.cel.parts import Part, composed, part
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

_NOTHING: Mapping[str, Part] = MappingProxyType({})
_CHECKED = "type.googleapis.com/cel.expr.CheckedExpr"
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

    def __init__(self, variables: Iterable[str] = VARIABLES, *, kyverno: bool = False) -> None:
        """`kyverno`: with its variables and functions beside Kubernetes' own."""
        names = set(variables)
        if "authorizer" in names:
            names.add("authorizer.requestResource")
        types = {name: _TYPES.get(name, "dyn") for name in names}
        if kyverno:
            self._checker = checker({**types, **TYPES}, EVERY)
        else:
            self._checker = checker(types)
        self._runner = runner()
        self._kyverno = kyverno

    def compile(self, text: str, *, expect: Expect = "bool") -> Program:
        """The program of `text`.

        `bool`: the checker must find bool, or a type that only the data decides. `string`: any
        type that has a text form, which is then the value. `any`: any type. Raises CompileError.
        """
        return self.program(self.part(text, expect=expect))

    def part(self, text: str, *, expect: Expect = "any", alone: Collection[str] = ()) -> Part:
        """`text`, checked, to be made a program of by itself or together with others.

        `alone` are members that are variables of their own: `variables.x`, `request.userInfo`.
        """
        if len(text) > MAX_TEXT_CHARS:
            raise CompileError(1, 1, f"longer than {MAX_TEXT_CHARS} characters")
        try:
            checked_any = self._checker.compile(text)
            found = checked_any.return_type()
        except TypeError:  # a lone surrogate
            raise CompileError(1, 1, "is no text") from None
        except (RuntimeError, ValueError, LookupError) as error:
            raise _refusal(str(error)) from None
        _expected(found, expect)
        checked = Message(Message(checked_any.serialize()).body(_ANY_VALUE))
        try:
            made = part(
                decode(checked.body(_EXPR)),
                references=_by_id(checked.bodies(_REFERENCES)),
                optional=_optional(checked.bodies(_TYPES_BY_ID)),
                alone=alone,
            )
            made = made._replace(text=text, expect=expect)
            for node in _misplaced(made):
                raise _refused_optional(text, node, checked)
        except RecursionError:
            raise CompileError(1, 1, "nested too deeply") from None
        except ValueError as error:
            raise CompileError(1, 1, str(error)) from None
        return made

    def program(self, main: Part, named: Mapping[str, Part] = _NOTHING) -> Program:
        """The program of `main`, with those of `named` that it asks for bound in it.

        Each may ask for those before it, and is evaluated when it is asked for. Raises
        CompileError.
        """
        try:
            whole = composed(main, named)
            if whole is not main and _misplaced(whole):
                raise CompileError(1, 1, "an optional cannot stand here: end with orValue()")
            if self._kyverno:
                tree = without_idle_defaults(whole.tree, whole.optional)
                whole = whole._replace(tree=tree)
            return self._program(whole)
        except RecursionError:
            raise CompileError(1, 1, "nested too deeply") from None
        except ValueError as error:
            raise CompileError(1, 1, str(error)) from None

    def activation(self, variables: Mapping[str, object], *, clean: bool = False) -> Activation:
        """Plain JSON values, ready for every program of one event. What is left out is unbound.

        To be used in the thread that has made it. `clean`: the caller knows that no text in them
        has a NUL or a lone surrogate; a line without ``\\u0000`` that msgspec has read has none.
        """
        return Activation(variables, self._runner, clean=clean)

    def _program(self, whole: Part) -> Program:
        ids = free_ids(whole.tree)
        ambiguous = any(name in whole.text for name in AMBIGUOUS)
        overloads = dict(map(_overloads, whole.references.items())) if ambiguous else {}
        known, copies = folded(lowered(whole.tree, overloads, ids), ids)
        run, bill = metered(known, ids)
        found = dict(whole.references)
        found |= {copy: found[of] for copy, of in copies.items() if of in found}
        references = (
            (_REFERENCES, message([(_KEY, number), (_VALUE, reference)]))
            for number, reference in found.items()
        )
        checked = message([*references, (_EXPR, encode(run))])
        try:
            native = self._runner.deserialize(
                message([(_ANY_TYPE, _CHECKED), (_ANY_VALUE, checked)])
            )
        except (RuntimeError, ValueError):
            raise CompileError(1, 1, "nested too deeply") from None
        return Program(native, whole.text, tree=whole.tree, bill=bill, expect=whole.expect)


def _misplaced(made: Part) -> list[Tree]:
    if not made.optional and "?" not in made.text:
        return []
    return misplaced(made.tree, made.optional)


def _refused_optional(text: str, node: Tree, checked: Message) -> CompileError:
    places = map(Message, Message(checked.body(_SOURCE)).bodies(_POSITIONS))
    offset = {place.number(_KEY): place.number(_VALUE) for place in places}.get(node.id, 0)
    line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    return CompileError(line, column, "an optional cannot stand here: end with orValue()")


def _by_id(entries: Iterable[bytes]) -> Mapping[int, bytes]:
    return {parts.number(_KEY): parts.body(_VALUE) for parts in map(Message, entries)}


def _optional(types: Iterable[bytes]) -> frozenset[int]:
    return frozenset(number for number, found in _by_id(types).items() if _is_optional(found))


def _is_optional(checked_type: bytes) -> bool:
    return Message(Message(checked_type).body(_ABSTRACT)).text(_NAME) == "optional_type"


def _overloads(entry: tuple[int, bytes]) -> tuple[int, frozenset[str]]:
    number, found = entry
    return number, frozenset(name.decode() for name in Message(found).bodies(_OVERLOADS))


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
