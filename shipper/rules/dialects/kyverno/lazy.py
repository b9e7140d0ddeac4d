"""Documents whose parts are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shipper.rules.dialects.kyverno.errors import NotFoundError, UndecidedError

Make = Callable[[], Any]


class Lazy:
    """A map whose values are made on demand, each once."""

    __slots__ = ("_made", "_makers")

    def __init__(self, makers: Mapping[str, Make]) -> None:
        self._makers = makers
        self._made: dict[str, Any] = {}

    def find(self, name: str) -> Any:
        """The value. Raises NotFoundError, and whatever making it raises."""
        if name not in self._made:
            maker = self._makers.get(name)
            if maker is None:
                raise NotFoundError(name)
            self._made[name] = maker()
        return self._made[name]


class Scope(Lazy):
    """What variables name: those of this scope, and behind them those of the one around it.

    What the scope around it has is made anew in this one where it asks for it, since it may depend
    on what only this one has (`element`).
    """

    __slots__ = ("_entries", "_making", "_outer")

    def __init__(self, values: Mapping[str, Any], outer: Scope | None = None) -> None:
        super().__init__({})
        self._made = dict(values)
        self._outer = outer
        self._entries: dict[str, Callable[[Scope], Any]] = {}
        self._making: set[str] = set()

    def define(self, name: str, entry: Callable[[Scope], Any]) -> None:
        """An entry of the context; it takes the place of what had its name."""
        self._made.pop(name, None)
        self._entries[name] = entry

    def find(self, name: str) -> Any:
        """The value. Raises NotFoundError, UndecidedError (it needs itself), or what made it."""
        if name in self._made:
            return self._made[name]
        entry = self._entry(name)
        if not callable(entry):
            return entry[0]
        if name in self._making:
            raise UndecidedError(f"the context entry {name} needs itself")
        self._making.add(name)
        try:
            value = self._made[name] = entry(self)
        finally:
            self._making.discard(name)
        return value

    def _entry(self, name: str) -> Any:
        """The maker of a value, or a value in a tuple."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope._made:
                return (scope._made[name],)
            if name in scope._entries:
                return scope._entries[name]
            scope = scope._outer
        raise NotFoundError(name)
