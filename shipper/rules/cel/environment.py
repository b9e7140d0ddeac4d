"""From CEL text to a checked program: which variables and functions there are.

Refuses at compile time what can be refused there: syntax, unknown names, wrong types. Evaluates
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from cel_expr_python import cel

from shipper.rules.cel.program import Activation, Program, activation
from shipper.rules.cel.tree import decode
from shipper.rules.cel.wire import Message

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
)
"""What a rule may speak of; each may be left unbound in an activation."""

MAX_TEXT_CHARS = 64 * 1024
"""A longer text is refused; the longest in the policy libraries that people use has 5,000."""

_CONFIG = """
extensions:
- {name: bindings}
- {name: encoders}
- {name: lists}
- {name: math}
- {name: optional}
- {name: sets}
- {name: strings}
- {name: two-var-comprehensions}
"""

_ANY_VALUE, _EXPR = 2, 4
"""google.protobuf.Any.value; cel.expr.CheckedExpr.expr."""

_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


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
        self._native = cel.NewEnv(
            config=cel.NewEnvConfigFromYaml(_CONFIG),
            variables=dict.fromkeys(variables, cel.Type.DYN),
        )

    def compile(self, text: str, *, expect: Literal["bool", "string", "any"] = "bool") -> Program:
        """The program of `text`.

        `bool`: the checker must find bool, or a type that only the data decides. `string`: any
        type; the value is returned in its text form. Raises CompileError.
        """
        if len(text) > MAX_TEXT_CHARS:
            raise CompileError(1, 1, f"longer than {MAX_TEXT_CHARS} characters")
        try:
            native = self._native.compile(text)
        except (RuntimeError, ValueError) as error:
            raise _refusal(str(error)) from None
        found = native.return_type()
        if expect == "bool" and found not in (cel.Type.BOOL, cel.Type.DYN):
            raise CompileError(1, 1, f"must be bool, but is {found.name().lower()}")
        checked = Message(Message(native.serialize()).body(_ANY_VALUE))
        try:
            tree = decode(checked.body(_EXPR))
        except ValueError as error:
            raise CompileError(1, 1, str(error)) from None
        return Program(native, tree, expect=expect)

    def activation(self, variables: Mapping[str, object]) -> Activation:
        """Plain JSON values, ready for every program of one event. What is left out is unbound."""
        return activation(self._native, variables)


def _refusal(message: str) -> CompileError:
    place = _PLACE.search(message)
    if place is None:
        return CompileError(1, 1, message.splitlines()[0])
    return CompileError(int(place[1]), int(place[2]), place[3])
