"""The values that expressions are asked about: an event's, ready for all programs of that event.

The engine converts a variable once, when an expression first asks for it, and that costs more than
most expressions do: 40 ns a byte. So one activation serves every program of an event, and is then
dropped. What the engine would not take as it is, is put right here:

- it cuts texts at a NUL (`PyUnicode_AsUTF8` into a C string), so that "kube-system\\0x" would be
  "kube-system" to a rule: a NUL becomes U+FFFD;
- a lone surrogate ends the evaluation with an exception of C++: it becomes U+FFFD;
- a whole number beyond 64 bits is refused with the whole value in the message: it becomes a double,
  as in Kubernetes;
- nesting deeper than the interpreter allows would overflow the C stack: no program is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from shipper.rules.cel.meter import COST_LIMIT

_RENEWAL_STEPS = COST_LIMIT / 4
"""The engine frees what evaluations have made when it drops the variables: 18 MB for a list of
1,000 that `map` builds. So after so many steps the variables are taken anew."""

_ENCODED_NUL = b"\\u0000"
_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
_REPLACED = str.maketrans(dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd"))

_encode = msgspec.json.Encoder().encode


class Activation:
    """Bound variables. `native` is the engine's form of them, or None if it can not have them."""

    __slots__ = ("_make", "_sizes", "_spent", "_values", "native", "steps")

    def __init__(self, variables: Mapping[str, Any], runner: Any, *, clean: bool) -> None:
        self._make = runner.Activation
        self._sizes: Mapping[str, int] | None = None
        self._spent = 0.0
        self.steps = 0.0
        """What all evaluations with it have taken, for who asks many of them."""
        self._values = dict(variables)
        self.native: Any = None
        if clean or self._is_clean():
            self.native = self._make(self._values)
        else:
            self.repair()

    @property
    def sizes(self) -> Mapping[str, int]:
        """Of each variable: how many bytes its JSON has."""
        if self._sizes is None:
            self._sizes = {name: len(_encode(value)) for name, value in self._values.items()}
        return self._sizes

    def spend(self, steps: float) -> None:
        """An evaluation has taken `steps`."""
        self._spent += steps
        self.steps += steps
        if self._spent > _RENEWAL_STEPS:
            self._spent = 0.0
            self.native = self._make(self._values)

    def repair(self) -> None:
        """Replace in all values what the engine does not take. Slow, and hardly ever needed."""
        try:
            self._values = cleaned(self._values)
            self.native = self._make(self._values)
        except RecursionError:
            self.native = None

    def _is_clean(self) -> bool:
        try:
            return _ENCODED_NUL not in _encode(self._values)
        except (UnicodeEncodeError, RecursionError):
            return False


def cleaned(value: Any) -> Any:
    """`value` with what the engine does not take replaced. Raises RecursionError."""
    if isinstance(value, str):
        return value.translate(_REPLACED)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return _double(value)
    return value


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
