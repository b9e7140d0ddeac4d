"""What policies of several languages have in common once they are made: who they are, and of what.

Judges nothing; each language says how its own are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from shipper.rules.cel.paths import Path
from shipper.rules.dialects.activations import Activations
from shipper.rules.dialects.policy import Ident, Source


class _Made(Protocol):
    """All of a policy that does not change from one link to the next."""

    @property
    def ident(self) -> Ident: ...

    @property
    def source(self) -> Source: ...

    @property
    def parts(self) -> Sequence[Ident]: ...

    @property
    def unanswerable(self) -> Sequence[str]: ...

    @property
    def paths(self) -> frozenset[Path]: ...


M = TypeVar("M", bound=_Made)


class MadePolicy(Generic[M]):
    """The part of `dialects.policy.Policy` that `made` answers."""

    def __init__(self, made: M, activations: Activations) -> None:
        self._made = made
        self._activations = activations

    @property
    def ident(self) -> Ident:
        """Which policy."""
        return self._made.ident

    @property
    def source(self) -> Source:
        """The object it was made from."""
        return self._made.source

    @property
    def parts(self) -> Sequence[Ident]:
        """Every object that it is made of, itself first."""
        return self._made.parts

    @property
    def unanswerable(self) -> Sequence[str]:
        """What of it can not be answered offline."""
        return self._made.unanswerable

    @property
    def paths(self) -> frozenset[Path]:
        """All that its expressions speak of."""
        return self._made.paths
