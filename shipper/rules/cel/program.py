"""Asks a checked expression about one event.

Errors come back as values: nothing that an event holds makes `evaluate` raise, and nothing of what
it holds stands in an error's text, save names that the expression itself has.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Literal, NamedTuple, TypeAlias

from cel_expr_python import cel

from shipper.rules.cel.activation import Activation
from shipper.rules.cel.calls import settle
from shipper.rules.cel.meter import METER, Bill
from shipper.rules.cel.necessary import Conditions, necessary
from shipper.rules.cel.paths import Path, paths
from shipper.rules.cel.text import text_of
from shipper.rules.cel.tree import Tree

Expect: TypeAlias = Literal["bool", "string", "any"]

_RAISED = (ArithmeticError, AssertionError, LookupError, RuntimeError, SystemError, ValueError)
"""What the engine, and the making of a plain value, may raise."""

_UNBOUND = re.compile(r'No value with name "([^"]*)" found in Activation')
_STATUS = re.compile(r"\A[A-Z_]+: |\s*\[[A-Z_]+\]\Z")
_QUOTED = re.compile(r'"[^"]*"')
_NOT_CONVERTED = ("out of range for '", "Non-CEL value type", "Unexpected value type")
"""The engine's own words for a variable that it does not take; they hold the value."""

_TOO_MANY_ROUNDS = "Iteration budget exceeded"

_ERROR = cel.Type.ERROR

_one_at_a_time = threading.Lock()


def without_status(text: str) -> str:
    """What the engine says, without its own class of error before or behind it."""
    return _STATUS.sub("", text)


class CelError(NamedTuple):
    """Why there is no answer.

    `unbound`: it depends on the variable `name`, which is not bound; `cost`: it would take too
    much work; `error`: the data is not what the expression expects.
    """

    kind: Literal["unbound", "cost", "error"]
    reason: str
    name: str = ""


COST = CelError("cost", "cost limit")
_TOO_DEEP = CelError("cost", "nested too deeply")
_NO_BOOL = CelError("error", "not a bool")
_OPTIONAL = CelError("error", "the result is optional: end with orValue()")
_UNCONVERTED = CelError("error", "a value is of no type that CEL has")


class Program:
    """One checked expression. Keeps no state between events; may be used by several threads."""

    def __init__(self, native: Any, text: str, *, tree: Tree, bill: Bill, expect: Expect) -> None:
        self._native = native
        self._text = text
        self._bill = None if bill.is_free else bill
        self._expect = expect
        self._necessary = necessary(tree)
        self.tree = tree
        """As the checker has it, before anything was done to it to be run."""
        self.paths: frozenset[Path] = paths(tree)
        """What it speaks of: `event.objectRef.resource` is `("event", "objectRef", "resource")`."""
        self.references = frozenset(path[0] for path in self.paths)
        """The variables it speaks of."""

    def necessary(self) -> Conditions:
        """Paths and the only values of them with which the expression can be true."""
        return self._necessary

    def evaluate(self, activation: Activation) -> Any:
        """The value: a bool, a text, or any plain Python value, as was expected; or a CelError."""
        if activation.native is None:
            return _TOO_DEEP
        value = self._run(activation)
        if isinstance(value, CelError):
            if value is not _UNCONVERTED:
                return value
            activation.repair()
            value = self._run(activation) if activation.native else _TOO_DEEP
        if self._expect == "bool":
            return value if isinstance(value, bool | CelError) else _NO_BOOL
        return text_of(value) if self._expect == "string" and type(value) is not CelError else value

    def _run(self, activation: Activation) -> Any:
        if self._bill is None:
            return self._ask(activation.native)
        with _one_at_a_time:
            if not METER.start(self._bill, activation.sizes):
                return COST
            try:
                value = self._ask(activation.native)
            finally:
                settle()
                activation.spend(METER.spent)
            return COST if METER.exhausted else value

    def _ask(self, native_activation: Any) -> Any:
        try:
            value = self._native.eval(native_activation)
            plain = value.plain_value()
        except TypeError:
            return _OPTIONAL
        except _RAISED as error:
            return self._error(str(error))
        # An error is plain text too; only of a text is the dearer question worth asking.
        is_error = type(plain) is str and value.type() == _ERROR
        return self._error(plain) if is_error else plain

    def _error(self, text: str) -> CelError:
        """What the engine says, without what it quotes of the data."""
        unbound = _UNBOUND.search(text)
        if unbound:
            root = unbound[1].partition(".")[0]
            return CelError("unbound", f"{root} is not known here", root)
        if _TOO_MANY_ROUNDS in text:
            return COST
        if any(words in text for words in _NOT_CONVERTED):
            return _UNCONVERTED
        reason = _QUOTED.sub(self._quoted, without_status(text))
        return CelError("error", reason.replace("Key not found in map :", "no such key:"))

    def _quoted(self, quoted: re.Match[str]) -> str:
        return quoted[0] if quoted[0][1:-1] in self._text else '"…"'
