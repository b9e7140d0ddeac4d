"""Asks a checked expression about one event.

Errors come back as values: nothing that an event holds makes `evaluate` raise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from cel_expr_python import cel

from shipper.rules.cel.necessary import Conditions, necessary
from shipper.rules.cel.paths import Path, paths
from shipper.rules.cel.tree import Tree

Activation = Any

_UNBOUND = re.compile(r'No value with name "([^"]*)" found in Activation')


class CelError(NamedTuple):
    """Why there is no answer.

    `unbound`: it depends on the variable `name`, which is not bound; `cost`: it would take too
    much work; `error`: the data is not what the expression expects.
    """

    kind: Literal["unbound", "cost", "error"]
    reason: str
    name: str = ""


class Program:
    """One checked expression. Keeps no state between events."""

    def __init__(
        self, native: Any, tree: Tree, *, expect: Literal["bool", "string", "any"]
    ) -> None:
        self._native = native
        self._expect = expect
        self.tree = tree
        self.paths: frozenset[Path] = paths(tree)
        """What it speaks of: `event.objectRef.resource` is `("event", "objectRef", "resource")`."""
        self.references = frozenset(path[0] for path in self.paths)
        """The variables it speaks of."""
        self._necessary = necessary(tree)

    def necessary(self) -> Conditions:
        """Paths and the only values of them with which the expression can be true."""
        return self._necessary

    def evaluate(self, activation: Activation) -> Any:
        """The value, as a plain Python value, or a CelError."""
        try:
            value = self._native.eval(activation)
        except (RuntimeError, ValueError, LookupError, TypeError) as error:
            return CelError("error", str(error))
        if value.type() == cel.Type.ERROR:
            return _error(str(value.value()))
        plain = value.plain_value() if value.type() != cel.Type.NULL else None
        if self._expect == "bool" and not isinstance(plain, bool):
            return CelError("error", "not a bool")
        return plain if self._expect != "string" else _text(plain)


def activation(native: Any, variables: Mapping[str, object]) -> Activation:
    """The values in the engine's form; each is converted when it is first asked for."""
    return native.Activation(dict(variables))


def _error(text: str) -> CelError:
    unbound = _UNBOUND.search(text)
    if unbound:
        return CelError("unbound", f"{unbound[1]} is not known here", unbound[1])
    return CelError("error", text)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
