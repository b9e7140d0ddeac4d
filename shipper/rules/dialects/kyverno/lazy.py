"""Documents whose parts are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

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


class _Value(NamedTuple):
    value: Any


class Scope(Lazy):
    """What variables name: those of this scope, and behind them those of the one around it.

    What the scope around it has is made anew in this one where it asks for it, since it may depend
    on what only this one has (`element`).
    """

    __slots__ = ("_entries", "_making", "_outer")

    def __init__(self, values: Mapping[str, Any], outer: Scope | None = None) -> None:
        super().__init__({})
        self._made: dict[str, Any] = dict(values)
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
        entry = self.entry(name)
        if isinstance(entry, _Value):
            return entry.value
        if name in self._making:
            raise UndecidedError(f"the context entry {name[:100]} needs itself")
        self._making.add(name)
        try:
            value = self._made[name] = entry(self)
        finally:
            self._making.discard(name)
        return value

    def entry(self, name: str) -> Callable[[Scope], Any] | _Value:
        """How this scope or one around it comes by the value. Raises NotFoundError."""
        if name in self._made:
            return _Value(self._made[name])
        if name in self._entries:
            return self._entries[name]
        if self._outer is None:
            raise NotFoundError(name)
        return self._outer.entry(name)
