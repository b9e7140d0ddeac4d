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

_ENCODED_NUL = b"\\u0000"
_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
_REPLACED = str.maketrans(dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd"))

_encode = msgspec.json.Encoder().encode


class Activation:
    """Bound variables. `native` is the engine's form of them, or None if it can not have them."""

    __slots__ = ("_make", "_values", "native", "sizes")

    def __init__(self, variables: Mapping[str, Any], runner: Any) -> None:
        self._make = runner.Activation
        self._values = dict(variables)
        self.sizes: Mapping[str, int] = {}
        """Of each variable: how many bytes its JSON has."""
        self.native: Any = None
        try:
            self._take()
        except UnicodeEncodeError:
            self.repair()
        except RecursionError:
            pass

    def repair(self) -> None:
        """Replace in all values what the engine does not take. Slow, and hardly ever needed."""
        try:
            self._values = clean(self._values)
            self._take()
        except RecursionError:
            self.native = None

    def _take(self) -> None:
        encoded = {name: _encode(value) for name, value in self._values.items()}
        if any(_ENCODED_NUL in value for value in encoded.values()):
            self._values = clean(self._values)
        self.sizes = {name: len(value) for name, value in encoded.items()}
        self.native = self._make(self._values)


def clean(value: Any) -> Any:
    """`value` with what the engine does not take replaced. Raises RecursionError."""
    if isinstance(value, str):
        return value.translate(_REPLACED)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return _double(value)
    return value


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
