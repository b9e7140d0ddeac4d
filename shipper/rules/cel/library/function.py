"""How a function of the library is described, and how a value of an opaque type is held.

The engine's Python side can neither make nor receive a value of an opaque type. The checker knows
such types (`kubernetes.Quantity`); at run time the value is a text: the type's name, a colon and
the canonical form, so that equal values are equal texts. An expression sees the difference only by
`type()`, and where nothing but the data says which type it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

QUANTITY = "kubernetes.Quantity"
IP = "net.IP"
CIDR = "net.CIDR"
URL = "kubernetes.URL"
SEMVER = "kubernetes.Semver"
FORMAT = "kubernetes.NamedFormat"
IMAGE = "kyverno.image"

OPAQUE = frozenset((QUANTITY, IP, CIDR, URL, SEMVER, FORMAT, IMAGE))
"""The types whose values are held as text."""


class Function(NamedTuple):
    """One overload of a function, in the checker's notation of types.

    A name that begins with `@` can not be written in an expression: such a function takes the place
    of the engine's own one. `call` gets plain Python values.
    """

    name: str
    receiver: str
    """The type before the dot; empty if there is none."""
    parameters: tuple[str, ...]
    returns: str
    call: Callable[..., Any]
    optional: bool = False
    """An empty result is `optional.none()`; `returns` is the type within."""


class CallError(ValueError):
    """The data is not what the function takes. Its text must not hold any of the data."""


def hold(kind: str, text: str) -> str:
    """The value of an opaque type, as the engine holds it."""
    return f"{kind}:{text}"


def held(kind: str, value: object) -> str:
    """The canonical form in a value of `kind`. Raises CallError if it is of another type."""
    if isinstance(value, str) and value.startswith(kind) and value[len(kind) :][:1] == ":":
        return value[len(kind) + 1 :]
    raise CallError(f"no such overload: not a {kind}")


def shown(value: str) -> str:
    """The canonical form alone, of a value of any opaque type; other texts as they are."""
    kind, colon, text = value.partition(":")
    return text if colon and kind in OPAQUE else value
